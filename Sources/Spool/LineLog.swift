import BoxEvents

/// One of the stream's own line files, `segments.ndjson`, `gaps.ndjson` or `quarantine.ndjson`: a line at
/// a time is added and is durable when ``append(_:)`` returns. Opened only while it is used.
struct LineLog: Sendable {
  var directory: DiskDirectory
  let name: String
  /// Where the next line goes, once this process has checked the end of the file.
  private var end: Int?
  /// The last write has failed, and may have left a part of its line behind `end`.
  private var hasFailed = false
  /// How much of a file's end is read: for the last line, and for what was quarantined last.
  private static let tailSize = 1 << 20

  init(_ name: String, in directory: DiskDirectory) {
    self.name = name
    self.directory = directory
  }

  /// Adds a line. After `noSpace` the call may be repeated, with this or another line.
  mutating func append(_ line: [UInt8]) throws(StoreFailure) {
    try checkEnd()
    try repairTail(creating: true)
    guard let end, let file = try directory.file(name, writing: true) else {
      throw StoreFailure(.io, "\(directory.path(of: name)) was deleted while it was written")
    }
    defer { file.close() }
    // A partial line left by a full disk is overwritten from its start; readers wait for its newline.
    hasFailed = true
    try file.write(line, at: end)
    if try file.size() > end + line.count { try file.truncate(to: end + line.count) }
    try file.synchronize()
    self.end = end + line.count
    hasFailed = false
  }

  /// Forgets where the next line goes if the file doesn't end there: someone has deleted, emptied or replaced it.
  private mutating func checkEnd() throws(StoreFailure) {
    guard let end else { return }
    let file = try directory.file(name, writing: true)
    defer { file?.close() }
    let size = try file?.size() ?? 0
    if size < end || size > end && !hasFailed { self.end = nil }
  }

  /// The last complete lines, oldest first, without newlines; of the last megabyte.
  func tail() throws(StoreFailure) -> [ArraySlice<UInt8>] {
    guard let file = try directory.file(name, writing: false) else { return [] }
    defer { file.close() }
    let size = try file.size()
    let start = max(0, size - Self.tailSize)
    var lines = try file.bytes(in: start..<size).split(separator: 0x0A, omittingEmptySubsequences: false)
    if start > 0, !lines.isEmpty { lines.removeFirst() }
    _ = lines.popLast()  // what follows the last newline: nothing, or a partial line
    return lines
  }

  /// How many complete lines there are, without those at the end that a power cut has left as something else: the next
  /// ``repairTail(creating:)`` cuts them off.
  func lineCount() throws(StoreFailure) -> Int {
    guard let file = try directory.file(name, writing: false) else { return 0 }
    defer { file.close() }
    let count = try file.lastLines(.max, before: file.size()).count
    guard count > 0 else { return 0 }
    return count - (try tail().reversed().prefix { JSONDocument(Array($0)) == nil }.count)
  }

  /// Whether the file has anything in it, readable or not.
  func hasContent() throws(StoreFailure) -> Bool {
    guard let file = try directory.file(name, writing: false) else { return false }
    defer { file.close() }
    return try file.size() > 0
  }

  /// Makes sure that what an earlier run has written is durable: cuts a partial last line, and writes the end
  /// again and syncs it, with the file's name, since that run's sync may have failed.
  mutating func repairTail(creating: Bool = false) throws(StoreFailure) {
    guard end == nil else { return }
    let found = try directory.file(name, writing: true)
    guard found != nil || creating else { return }
    let file: DiskFile = if let found { found } else { try directory.newFile(name) }
    defer { file.close() }
    let size = try file.size()
    var length = Self.tailSize
    var kept: Int?
    repeat {
      let start = max(0, size - length)
      let bytes = try file.bytes(in: start..<size)
      kept = Self.completeLines(bytes, isAll: start == 0).map { start + $0 }
      length *= 8
    } while kept == nil
    let end = kept ?? 0
    try file.rewrite(max(0, end - Self.tailSize)..<end)
    if end < size { try file.truncate(to: end) }
    try file.synchronize()
    try directory.synchronize()
    self.end = end
  }

  /// How many of the bytes are lines up to the last one that is JSON. What follows it was partial, or
  /// came back from a power cut as zeros. Nil if that line begins before these bytes.
  private static func completeLines(_ bytes: [UInt8], isAll: Bool) -> Int? {
    var end = bytes.count
    while let newline = bytes[..<end].lastIndex(of: 0x0A) {
      let before = bytes[..<newline].lastIndex(of: 0x0A)
      if before == nil, !isAll { return nil }
      if JSONDocument(Array(bytes[(before.map { $0 + 1 } ?? 0)..<newline])) != nil { return newline + 1 }
      end = newline
    }
    return isAll ? 0 : nil
  }
}
