package import BoxEvents
import Crypto

/// A small text that is replaced again and again and never lost: two records in a file of two blocks,
/// written in turn, so that the one before stays intact while the next is written.
///
/// Both blocks are written and synced when the file is made; after that a record is one write and one sync,
/// without a change to the file's size, name or directory. A block is text padded with spaces:
///
///     sequence: 42
///     …the record's own lines…
///     checksum: SHA-256 of the lines above, 64 hexadecimal digits
///
/// A block counts only if it is, byte for byte, what its sequence and lines give when they are written;
/// of two intact blocks the one with the greater sequence is the newest.
package struct TwoBlockFile: Sendable {
  /// Bytes of a block: what disks and page caches write in one piece.
  static let blockSize = 4096
  package static let maximumContent = 3072

  private var file: DiskFile
  private var directory: DiskDirectory
  private var newestIndex: Int?
  private var newest: Block?
  /// The block that was written but not synced since; the other one holds the last synced record.
  private var unsynchronizedIndex: Int?
  private var isIntact: Bool

  /// The newest intact record's lines, and its sequence, 0 without a record.
  package var content: String? { newest?.content }
  package var sequence: UInt64 { newest?.sequence ?? 0 }

  /// Opens a file; nil if it is missing. Writes nothing.
  /// - Parameters:
  ///   - writing: false for a command that only reads.
  ///   - isValid: whether the owner can read a record whose checksum is right; others count as corrupt.
  package init?(
    _ name: String, in directory: DiskDirectory, writing: Bool = true,
    isValid: (String) -> Bool = { _ in true }
  ) throws(StoreFailure) {
    guard let file = try directory.file(name, writing: writing) else { return nil }
    try self.init(file, in: directory, isValid: isValid)
  }

  /// Opens a file or makes it, durably with both blocks; repairs what a crash while it was made has left.
  package init(
    making name: String, in directory: DiskDirectory, isValid: (String) -> Bool = { _ in true }
  ) throws(StoreFailure) {
    try self.init(try directory.madeFile(name), in: directory, isValid: isValid)
    try closingOnFailure(file.close) { () throws(StoreFailure) in try reassert() }
  }

  /// Closes the file if it can't be read.
  private init(
    _ file: DiskFile, in directory: DiskDirectory, isValid: (String) -> Bool
  ) throws(StoreFailure) {
    self.file = file
    self.directory = directory
    let (bytes, size) = try closingOnFailure(file.close) { () throws(StoreFailure) in
      (try file.bytes(in: 0..<(2 * Self.blockSize)), try file.size())
    }
    isIntact = size == 2 * Self.blockSize
    for index in 0..<2 {
      let start = min(bytes.count, index * Self.blockSize)
      let block = Block(bytes[start..<min(bytes.count, start + Self.blockSize)])
      guard let block, isValid(block.content), block.sequence > sequence else { continue }
      newest = block
      newestIndex = index
    }
  }

  /// Writes the newest record again in place and syncs it: an earlier run's sync may have failed and left
  /// a block that reads well and is not on disk. A crash in this write would still leave the other block.
  /// A file that was only half made gets its size and a durable name.
  package mutating func reassert() throws(StoreFailure) {
    if let newest, let newestIndex { try file.write(newest.bytes, at: newestIndex * Self.blockSize) }
    if !isIntact {
      for index in 0..<2 where index != newestIndex {
        try file.write(Block.blank, at: index * Self.blockSize)
      }
      try file.truncate(to: 2 * Self.blockSize)
    }
    try file.synchronize()
    try directory.synchronize()
    isIntact = true
    unsynchronizedIndex = nil
  }

  /// Puts a new record in the place of the older one. After `noSpace` the newest record is still the one
  /// before, and the call may be repeated.
  /// - Parameters:
  ///   - content: lines, each with its newline, ``maximumContent`` bytes at most.
  ///   - durable: false leaves the sync to a later write. Until then that block is used again, never
  ///     the other, which holds the last record that was synced.
  package mutating func write(_ content: String, durable: Bool = true) throws(StoreFailure) {
    guard content.utf8.count <= Self.maximumContent, content.utf8.last == 0x0A else {
      throw StoreFailure(.io, "a record of \(content.utf8.count) bytes does not fit \(file.path)")
    }
    let index = unsynchronizedIndex ?? newestIndex.map { 1 - $0 } ?? 0
    let block = Block(sequence: sequence + 1, content: content)
    try file.write(block.bytes, at: index * Self.blockSize)
    // A crash here: this block may be corrupt; the other is intact and synced.
    if durable { try file.synchronize() }
    newest = block
    newestIndex = index
    unsynchronizedIndex = durable ? nil : index
  }

  /// Proves that a record could be written and synced now, without touching the newest one.
  package mutating func proveWritable() throws(StoreFailure) {
    if unsynchronizedIndex != nil { try file.synchronize() }
    unsynchronizedIndex = nil
    try file.write(Block.blank, at: (newestIndex.map { 1 - $0 } ?? 0) * Self.blockSize)
    try file.synchronize()
  }

  /// Whether this is still the file of that name.
  func isInPlace(as name: String) throws(StoreFailure) -> Bool { try directory.has(file, as: name) }

  var id: FileStatus.ID { file.id }

  /// The file was closed, and has been opened again, by this process alone.
  mutating func reopened(as file: DiskFile, in directory: DiskDirectory) {
    (self.file, self.directory) = (file, directory)
  }

  package func close() { file.close() }
}

extension TwoBlockFile {
  /// A record with its sequence and checksum.
  fileprivate struct Block: Sendable {
    static let blank = padded("")

    var sequence: UInt64
    var content: String

    var bytes: [UInt8] {
      let lines = "sequence: \(sequence)\n\(content)"
      let checksum = Hexadecimal.text(of: SHA256.hash(data: Array(lines.utf8)))
      return Self.padded("\(lines)checksum: \(checksum)\n")
    }

    private static func padded(_ text: String) -> [UInt8] {
      let bytes = Array(text.utf8)
      let space = max(0, TwoBlockFile.blockSize - 1 - bytes.count)
      return bytes + [UInt8](repeating: 0x20, count: space) + [0x0A]
    }
  }
}

extension TwoBlockFile.Block {
  /// Nil unless the bytes are exactly a block as it is written.
  init?(_ block: ArraySlice<UInt8>) {
    guard block.count == TwoBlockFile.blockSize, let last = block.lastIndex(where: { $0 > 0x20 }) else {
      return nil
    }
    guard let text = String(validating: block[...last], as: UTF8.self) else { return nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 3, lines[0].hasPrefix("sequence: "),
      let sequence = UInt64(lines[0].dropFirst("sequence: ".count)), sequence > 0, sequence < 1 << 62
    else { return nil }
    self.init(sequence: sequence, content: lines[1..<(lines.count - 1)].map { $0 + "\n" }.joined())
    guard content.utf8.count <= TwoBlockFile.maximumContent, bytes.elementsEqual(block) else { return nil }
  }
}
