import BoxEvents

/// One stream's two directories, for the daemon and for the commands while it is stopped.
struct StreamFiles: Sendable {
  let spool: DiskDirectory
  let state: DiskDirectory

  /// Opens both directories and makes what is missing. Every entry up to the roots is durable on return,
  /// also one that an earlier run made and didn't sync.
  init(making location: StreamSpool.Location) throws(StoreFailure) {
    let (spoolRoot, stateRoot) = (location.spoolRoot, location.stateRoot)
    for root in [spoolRoot, stateRoot] { try root.follow() }
    spool = try spoolRoot.madeSubdirectory(location.name)
    state = try closingOnFailure(spool.close) { () throws(StoreFailure) in
      try stateRoot.madeSubdirectory(location.name)
    }
    try closingOnFailure(close) { () throws(StoreFailure) in
      for root in [spoolRoot, stateRoot] { try root.synchronizeOnce() }
      for directory in [spool, state] { try directory.synchronize() }
    }
  }

  /// Opens both directories; nil if one is missing.
  init?(existing location: StreamSpool.Location) throws(StoreFailure) {
    guard let spool = try location.spoolRoot.subdirectory(location.name) else { return nil }
    let state = try closingOnFailure(spool.close) { () throws(StoreFailure) in
      try location.stateRoot.subdirectory(location.name)
    }
    guard let state else {
      spool.close()
      return nil
    }
    (self.spool, self.state) = (spool, state)
  }

  /// Whether these are still the stream's directories: someone may have moved or deleted them, or those above.
  func areInPlace(_ location: StreamSpool.Location) throws(StoreFailure) -> Bool {
    for root in [location.spoolRoot, location.stateRoot] { try root.follow() }
    guard try location.spoolRoot.has(spool, as: location.name) else { return false }
    return try location.stateRoot.has(state, as: location.name)
  }

  /// Refuses whatever is in the place of a file that is written later: before anything is stored, not after.
  func check() throws(StoreFailure) {
    for name in [SegmentEntry.fileName, GapLine.fileName, QuarantineLine.fileName, DurableMark.fileName] {
      try spool.checkFile(name, writing: true)
    }
    try spool.checkLink(SegmentName.link)
    try state.checkFile(KnownIDs.fileName, writing: false)
    try state.checkFile(KnownIDs.temporaryName, writing: true)
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

  private static let asidePrefix = "aside-"
  private static let asidesKept = 64

  /// Copies everything from `offset` on aside, then cuts it off. A crash in between leaves a copy too many.
  /// - Returns: the copy's name.
  func cut(
    _ file: DiskFile, from offset: Int, size: Int, segment: UInt64, sequence: UInt64
  ) throws(StoreFailure) -> String {
    let name = "\(Self.asidePrefix)\(SegmentName.digits(sequence))-\(segment)-\(offset)"
    try copy(offset..<size, of: file, aside: name)
    try file.truncate(to: offset)
    try file.synchronize()
    return name
  }

  /// Copies a range of a segment into the state directory, durably. The bytes are not proven to be events; Box
  /// serves these again. Only the newest copies are kept.
  private func copy(_ range: Range<Int>, of file: DiskFile, aside name: String) throws(StoreFailure) {
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
  }
}
