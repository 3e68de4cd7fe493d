package import BoxEvents

/// Reads a stream's events in order, across segments, while they are being written.
package struct SpoolReader: Sendable {
  private let spool: DiskDirectory
  /// The segment being read, and the byte after the last complete line that was handed out.
  private var segment: UInt64?
  private var offset = 0

  /// Starts before the first event that is still there.
  /// - Parameter spool: the stream's own directory.
  package init(spool: DiskDirectory) { self.spool = spool }

  /// Moves to before the last `count` events, of all or of those that pass: as far back as it takes.
  package mutating func seek(
    last count: Int, where passes: ((UnsafeRawBufferPointer) -> Bool)? = nil
  ) throws(StoreFailure) {
    var missing = count
    let ordinals = try spool.segments()
    for ordinal in ordinals.reversed() {
      do throws(StoreFailure) {
        guard let file = try spool.file(SegmentName.text(ordinal), writing: false) else { continue }
        defer { file.close() }
        let found = try Self.lastLines(missing, of: file, where: passes)
        // Before a segment in which nothing passes there is nothing to read.
        if segment == nil || found.count > 0 { (segment, offset) = (ordinal, found.start) }
        missing -= found.count
        if missing <= 0 { return }
      } catch {
        guard ordinal != ordinals.last, error.isOfOneFile else { throw error }
      }
    }
  }

  private static func lastLines(
    _ count: Int, of file: DiskFile, where passes: ((UnsafeRawBufferPointer) -> Bool)?
  ) throws(StoreFailure) -> (start: Int, count: Int) {
    let size = try file.size()
    guard let passes else { return try file.lastLines(count, before: size) }
    var starts: [Int] = []
    let end = try file.forEachLine(in: 0..<size) { line, offset throws(StoreFailure) in
      if passes(line) { starts.append(offset) }
      return true
    }
    let last = starts.suffix(count)
    return (last.first ?? end, last.count)
  }

  /// Hands every complete line that is there now to `body`, without its newline.
  /// - Returns: whether there was any.
  package mutating func read(_ body: (UnsafeRawBufferPointer) -> Void) throws(StoreFailure) -> Bool {
    var hasRead = false
    // Listed first: what is in a segment now was written before a newer one began.
    let ordinals = try spool.segments()
    for ordinal in ordinals where ordinal >= segment ?? 0 {
      do throws(StoreFailure) {
        hasRead = try read(ordinal, body) || hasRead
      } catch {
        // Only the newest one is needed.
        guard ordinal != ordinals.last, error.isOfOneFile else { throw error }
      }
    }
    return hasRead
  }

  private mutating func read(
    _ ordinal: UInt64, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(StoreFailure) -> Bool {
    guard let file = try spool.file(SegmentName.text(ordinal), writing: false) else { return false }
    defer { file.close() }
    if ordinal != segment { (segment, offset) = (ordinal, 0) }
    let size = try file.size()
    guard size > offset else { return false }
    let start = offset
    offset = try file.forEachLine(in: offset..<size) { line, _ throws(StoreFailure) in
      body(line)
      return true
    }
    return offset > start
  }
}
