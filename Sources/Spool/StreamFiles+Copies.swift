import BoxEvents

/// Copies of segments under the name of a newer one, as `cp` or a mistaken synchronization makes them.
extension StreamFiles {
  /// Gives another name to segments that hold nothing but what an earlier one begins with. No line has an ordinal, so
  /// that a copy would be taken for the segment of its name, and its events for new ones.
  /// - Parameter recorded: the last segment known to be the daemon's own; those up to it are left alone.
  /// - Returns: the other segments, and what was done, one message each.
  func withoutCopies(
    _ segments: [UInt64], after recorded: UInt64?
  ) throws(StoreFailure) -> (segments: [UInt64], notes: [String]) {
    func isKnown(_ segment: UInt64) -> Bool { recorded.map { segment <= $0 } ?? false }
    guard let newest = segments.last, !isKnown(newest) else { return (segments, []) }
    var (others, notes) = ([UInt64](), [String]())
    /// By its beginning, the first segment that has it.
    var begun: [[UInt8]: UInt64] = [:]
    for segment in segments {
      let head = try beginning(of: segment)
      if let original = head.flatMap({ begun[$0] }), !isKnown(segment), try isCopy(segment, of: original) {
        let name = try setAside(segment)
        notes.append(
          "\(SegmentName.text(segment)) is a copy of \(SegmentName.text(original)): it was renamed to \(name)"
        )
      } else {
        others.append(segment)
        if let head, begun[head] == nil { begun[head] = segment }
      }
    }
    if !notes.isEmpty { try spool.synchronize() }
    return (others, notes)
  }

  /// A segment's first line, or the first 4 KiB of it; nil where there isn't one, or it can't be read.
  private func beginning(of segment: UInt64) throws(StoreFailure) -> [UInt8]? {
    do throws(StoreFailure) {
      guard let file = try spool.file(SegmentName.text(segment), writing: false) else { return nil }
      defer { file.close() }
      let bytes = try file.bytes(in: 0..<4096)
      guard let newline = bytes.firstIndex(of: 0x0A) else { return bytes.count == 4096 ? bytes : nil }
      return Array(bytes[...newline])
    } catch {
      guard error.isOfOneFile else { throw error }
      return nil
    }
  }

  /// Whether the original has all that a segment has.
  private func isCopy(_ segment: UInt64, of original: UInt64) throws(StoreFailure) -> Bool {
    guard let copy = try spool.file(SegmentName.text(segment), writing: false) else { return false }
    defer { copy.close() }
    guard let file = try spool.file(SegmentName.text(original), writing: false) else { return false }
    defer { file.close() }
    let size = try copy.size()
    guard try file.size() >= size else { return false }
    for offset in stride(from: 0, to: size, by: 1 << 20) {
      let range = offset..<min(size, offset + 1 << 20)
      if try copy.bytes(in: range) != file.bytes(in: range) { return false }
    }
    return true
  }

  /// Renames a segment within the spool; returns its new name.
  private func setAside(_ segment: UInt64) throws(StoreFailure) -> String {
    let name = SegmentName.text(segment)
    var (target, count) = ("aside-\(name)", 1)
    while try spool.status(of: target) != nil {
      count += 1
      target = "aside-\(name)-\(count)"
    }
    try spool.rename(name, to: target)
    return target
  }
}
