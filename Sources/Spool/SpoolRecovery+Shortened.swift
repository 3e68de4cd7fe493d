import BoxEvents

/// What a recovery does where the spool is shorter than the record.
extension SpoolRecovery {
  /// Notes how long the spool is while the next event begins a segment: nothing else would show that an older spool
  /// was restored before that event. Durable before the record that names it, so that no power cut makes it shorter.
  mutating func acceptEnd(of segments: [UInt64]) throws(StoreFailure) {
    if let active = spool.active, active.size > 0 { return }
    spool.accepted = nil
    guard let newest = segments.last(where: { $0 != spool.active?.ordinal }) else { return }
    let name = SegmentName.text(newest)
    do throws(StoreFailure) {
      guard let file = try spool.files.spool.file(name, writing: false) else { return }
      defer { file.close() }
      let size = try file.size()
      let end = try file.forEachLine(in: 0..<size, progress: spool.setup.progress) { _, _ in true }
      try file.synchronize()
      spool.accepted = SpoolEnd(segment: newest, offset: end)
      guard end < size, let file = try spool.files.spool.file(name, writing: true) else { return }
      defer { file.close() }
      try cutUnproven(file, segment: newest, from: end, size: size)
    } catch {
      // With a newer segment it is a finished one, and nothing depends on it.
      guard error.isOfOneFile, spool.active != nil else { throw error }
    }
  }

  /// How the spool is shorter than it was when it was accepted; nil if it isn't.
  func missing(of end: SpoolEnd) throws(StoreFailure) -> String? {
    if end.offset == 0 { return nil }
    let name = SegmentName.text(end.segment)
    guard let file = try spool.files.spool.file(name, writing: false) else { return "\(name) is missing" }
    defer { file.close() }
    if try file.bytes(in: (end.offset - 1)..<end.offset) == [0x0A] { return nil }
    return "\(name) has \(try file.size()) bytes, and had \(end.offset) in complete lines"
  }

  /// Where to read again after the spool has become shorter: from the line of the segment from which on something is
  /// missing. The checkpoint's times stay: the gap has those of the loss.
  func older(_ entry: SegmentEntry, _ found: PositionRecord) -> (ReadPosition, PositionRecord.Known) {
    // Read today, `now` is later than anything.
    guard entry.position != .now else { return (found.position, found.known) }
    return switch found.known {
    // An operator has chosen the position.
    case .all: (found.position, .all)
    // The record's may have passed since then what is missing now.
    case .since(let first): (entry.position, .since(min(first, entry.ordinal)))
    case .recent: (entry.position, .since(entry.ordinal))
    }
  }

  /// Segments from an ordinal on are missing: their events must not be known any more, or they would never be fetched.
  func forgetLostIDs(from ordinal: UInt64, _ found: PositionRecord) throws(StoreFailure) {
    guard found.segment > ordinal, found.ordinal > ordinal else { return }
    let ids = try KnownIDs.read(in: spool.files.state)
    let kept = ids.dropLast(Int(clamping: found.ordinal - ordinal))
    if kept.count < ids.count { try KnownIDs.write(Array(kept), in: spool.files.state) }
  }

  /// Cuts a partial line where a segment's lines don't end at the record's offset.
  /// - Returns: the segment's size before that; nil where they end there.
  mutating func cutShortened(_ name: String, _ found: PositionRecord) throws(StoreFailure) -> Int? {
    guard let file = try spool.files.spool.file(name, writing: true) else { return nil }
    defer { file.close() }
    let size = try file.size()
    if found.offset == 0 { return nil }
    if try file.bytes(in: (found.offset - 1)..<found.offset) == [0x0A] { return nil }
    // The file is shorter than it was, or changed: what is appended would end up in the middle of a line.
    let end = try file.forEachLine(in: 0..<min(size, found.offset)) { _, _ in true }
    try cutUnproven(file, segment: found.segment, from: end, size: size)
    return size
  }
}
