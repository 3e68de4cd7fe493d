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

  /// Moves to before the last `count` events.
  package mutating func seek(last count: Int) throws(StoreFailure) {
    var missing = count
    let ordinals = try spool.segments()
    for ordinal in ordinals.reversed() {
      do throws(StoreFailure) {
        guard let file = try spool.file(SegmentName.text(ordinal), writing: false) else { continue }
        defer { file.close() }
        let found = try file.lastLines(missing, before: try file.size())
        (segment, offset) = (ordinal, found.start)
        missing -= found.count
        if missing <= 0 { return }
      } catch {
        guard ordinal != ordinals.last, error.isOfOneFile else { throw error }
      }
    }
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
