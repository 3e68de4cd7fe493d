import BoxEvents

/// One stream's two directories and what is in them: what the daemon and the commands for a stopped
/// daemon have in common.
struct StreamFiles: Sendable {
  let spool: DiskDirectory
  let state: DiskDirectory

  /// Opens both directories and makes what is missing. Every entry up to the roots is durable on return,
  /// also one that an earlier run made and didn't sync.
  init(making name: String, spoolRoot: DiskDirectory, stateRoot: DiskDirectory) throws(StoreFailure) {
    spool = try spoolRoot.madeSubdirectory(name)
    do throws(StoreFailure) {
      state = try stateRoot.madeSubdirectory(name)
    } catch {
      spool.close()
      throw error
    }
    do throws(StoreFailure) {
      for directory in [spoolRoot, stateRoot, spool, state] { try directory.synchronize() }
    } catch {
      close()
      throw error
    }
  }

  func close() {
    spool.close()
    state.close()
  }

  /// The position file, with its newest valid record; nil if it is missing.
  func position() throws(StoreFailure) -> TwoBlockFile? {
    try TwoBlockFile(PositionRecord.fileName, in: state) { PositionRecord(parsing: $0) != nil }
  }

  /// The position file, made if it is missing, its newest record written again and synced.
  func madePosition() throws(StoreFailure) -> TwoBlockFile {
    try TwoBlockFile(making: PositionRecord.fileName, in: state) { PositionRecord(parsing: $0) != nil }
  }

  /// Copies a range of a segment into the state directory, as `aside-<sequence>-<ordinal>-<offset>`, and
  /// makes the copy durable. The bytes are not proven to be events; Box serves these again. Only the
  /// newest copies are kept.
  func copyAside(
    _ range: Range<Int>, of file: DiskFile, segment: UInt64, sequence: UInt64
  ) throws(StoreFailure) -> String {
    let number = String(sequence)
    let padded = String(repeating: "0", count: max(0, 16 - number.utf8.count)) + number
    let name = "\(Self.asidePrefix)\(padded)-\(segment)-\(range.lowerBound)"
    let copy = try state.madeFile(name)
    defer { copy.close() }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let chunk = try file.bytes(in: offset..<min(range.upperBound, offset + 1 << 20))
      if chunk.isEmpty { break }
      try copy.write(chunk, at: offset - range.lowerBound)
      offset += chunk.count
    }
    try copy.truncate(to: offset - range.lowerBound)
    try copy.synchronize()
    let others = try state.names().filter { $0.hasPrefix(Self.asidePrefix) && $0 != name }.sorted()
    for old in others.dropLast(Self.asidesKept) { try state.remove(old) }
    try state.synchronize()
    return name
  }

  private static let asidePrefix = "aside-"
  private static let asidesKept = 64

  /// Copies everything from `offset` on aside, then cuts it off. A crash in between leaves a copy too many.
  func cut(
    _ file: DiskFile, from offset: Int, size: Int, segment: UInt64, sequence: UInt64
  ) throws(StoreFailure) -> String {
    let name = try copyAside(offset..<size, of: file, segment: segment, sequence: sequence)
    try file.truncate(to: offset)
    try file.synchronize()
    return name
  }
}
