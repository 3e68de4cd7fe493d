package import BoxEvents

/// Reads a stream's events in order, across segments, while they are being written.
package struct SpoolReader: Sendable {
  private let spool: DiskDirectory
  /// The segment being read, and the byte after the last complete line that was handed out.
  private var segment: UInt64?
  private var offset = 0
  /// How many of the segment's lines come before that; nil where they haven't been counted.
  private var linesRead: UInt64? = 0

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
        if segment == nil || found.count > 0 { (segment, offset, linesRead) = (ordinal, found.start, nil) }
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
  /// - Parameter onMissing: called before a line that doesn't follow the one before it, since the segments in between
  ///   were deleted or compressed before they were read: with the line's ordinal, and how many are missing; nil where
  ///   that can't be known.
  /// - Returns: whether there was any.
  package mutating func read(
    onMissing: (_ ordinal: UInt64, _ count: UInt64?) -> Void = { _, _ in },
    _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(StoreFailure) -> Bool {
    var hasRead = false
    // Listed first: what is in a segment now was written before a newer one began.
    let ordinals = try spool.segments()
    for ordinal in ordinals where ordinal >= segment ?? 0 {
      do throws(StoreFailure) {
        hasRead = try read(ordinal, onMissing, body) || hasRead
      } catch {
        // Only the newest one is needed.
        guard ordinal != ordinals.last, error.isOfOneFile else { throw error }
      }
    }
    return hasRead
  }

  private mutating func read(
    _ ordinal: UInt64, _ onMissing: (UInt64, UInt64?) -> Void, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(StoreFailure) -> Bool {
    guard let file = try spool.file(SegmentName.text(ordinal), writing: false) else { return false }
    defer { file.close() }
    let size = try file.size()
    if ordinal != segment {
      guard size > 0 else { return false }
      noteMissing(before: ordinal, onMissing)
      (segment, offset, linesRead) = (ordinal, 0, 0)
    } else if linesRead == nil {
      linesRead = try Self.countLines(of: file, before: offset)
    }
    guard size > offset else { return false }
    let start = offset
    var count: UInt64 = 0
    offset = try file.forEachLine(in: offset..<size) { line, _ throws(StoreFailure) in
      count += 1
      body(line)
      return true
    }
    linesRead = linesRead.map { $0 + count }
    return offset > start
  }

  private static func countLines(of file: DiskFile, before end: Int) throws(StoreFailure) -> UInt64 {
    var count: UInt64 = 0
    try file.forEachLine(in: 0..<end) { _, _ throws(StoreFailure) in
      count += 1
      return true
    }
    return count
  }

  private func noteMissing(before ordinal: UInt64, _ onMissing: (UInt64, UInt64?) -> Void) {
    guard let segment else { return }
    guard let linesRead else { return onMissing(ordinal, nil) }
    let next = segment + linesRead
    if next < ordinal { onMissing(ordinal, ordinal - next) }
  }
}
