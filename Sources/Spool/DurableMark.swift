import BoxEvents
import Crypto

/// How far a segment was known to be on disk, in a file of the spool itself: the evidence against a position file that
/// was restored from a backup. Written after the position record and never ahead of it, so that only an older record
/// is behind it.
struct DurableMark: Hashable {
  static let fileName = ".durable"
  /// Between two marks. What a power cut finds after the last one isn't told from a commit that was under way.
  static let interval = Duration.seconds(10)

  var segment: UInt64
  /// Bytes of complete lines.
  var offset: Int
  /// Of the event after them.
  var ordinal: UInt64

  /// Of at least 48 digits: never shorter than the line before it.
  private var text: String {
    [segment, UInt64(offset), ordinal].map(SegmentName.digits).joined(separator: " ")
  }

  private var line: [UInt8] {
    Array("\(text) \(Hexadecimal.text(of: SHA256.hash(data: Array(text.utf8))))\n".utf8)
  }

  /// The mark; nil if the file is missing or corrupt.
  static func read(in spool: DiskDirectory) throws(StoreFailure) -> DurableMark? {
    guard let file = try spool.file(fileName, writing: false) else { return nil }
    defer { file.close() }
    let line = try file.bytes(in: 0..<256).prefix { $0 != 0x0A }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ")
    let numbers = words.prefix(3).compactMap { UInt64($0) }
    guard numbers.count == 3, let offset = Int(exactly: numbers[1]) else { return nil }
    let mark = DurableMark(segment: numbers[0], offset: offset, ordinal: numbers[2])
    return mark.line.elementsEqual(line + [0x0A]) ? mark : nil
  }

  func write(in spool: DiskDirectory) throws(StoreFailure) {
    let found = try spool.file(Self.fileName, writing: true)
    let file: DiskFile = if let found { found } else { try spool.newFile(Self.fileName) }
    defer { file.close() }
    try file.write(line, at: 0)
    try file.synchronize()
    if found == nil { try spool.synchronize() }
  }
}

extension OpenSpool {
  /// Marks how far the newest segment is durable, unless that was done a moment ago.
  mutating func markDurable(isLast: Bool = false) throws(StoreFailure) {
    guard let active else { return }
    let now = setup.clock.monotonic()
    if !isLast, let markedAt, now - markedAt < DurableMark.interval { return }
    let mark = presentMark(active)
    guard mark != self.mark else { return }
    try mark.write(in: files.spool)
    (self.mark, markedAt) = (mark, now)
  }

  /// Whether all that this run has stored is marked.
  var isMarked: Bool { mark == active.map(presentMark) }

  private func presentMark(_ active: ActiveSegment) -> DurableMark {
    DurableMark(segment: active.ordinal, offset: active.size, ordinal: ordinal)
  }
}
