import BoxEvents

/// Telling new events from known ones.
extension OpenSpool {
  mutating func deduplicate(
    _ page: EventPage, readFrom position: ReadPosition, id: EventBatch.ID
  ) throws(StoreFailure) -> EventBatch {
    let new = try newEvents(of: page)
    return EventBatch(
      id: id, page: page, readFrom: position, new: new, duplicates: page.events.count - new.count,
      newRejects: try newRejects(of: page))
  }

  private mutating func newEvents(of page: EventPage) throws(StoreFailure) -> [Int] {
    guard !page.events.isEmpty else { return [] }
    let window = try knownWindow()
    var inPage = Set<EventIdentity>(minimumCapacity: page.events.count)
    return page.events.indices.filter { index in
      let id = page.events[index].identity
      return !window.contains(id) && inPage.insert(id).inserted
    }
  }

  /// The window; if it isn't there, with the ids of the newest events in the spool: those that the record requires
  /// to be known, and `knownEvents` before them. Missing and compressed segments are passed over; see ``KnownIDs``.
  mutating func knownWindow() throws(StoreFailure) -> DuplicateWindow {
    if let window { return window }
    let limits = setup.limits
    var loaded = DuplicateWindow(capacity: needsFullWindow ? .max : limits.knownEvents)
    // Box's pages begin somewhat before the position: `knownEvents` are for those, and more for the events after it
    // that must be known.
    var wanted = limits.knownEvents + Int(clamping: min(mustKnow(upTo: ordinal), 1 << 40))

    var parts: [(segment: UInt64, range: Range<Int>)] = []
    for segment in try files.spool.segments().reversed() where wanted > 0 {
      guard let file = try files.spool.file(SegmentName.text(segment), writing: false) else { continue }
      defer { file.close() }
      let size = if let active, active.ordinal == segment { active.size } else { try file.size() }
      let last = try file.lastLines(wanted, before: size)
      parts.append((segment, last.start..<size))
      wanted -= last.count
    }
    var ids = try spooledIDs(parts)
    if wanted > 0, ordinal > 0 {
      // Finished segments are missing: the ids of the last of them are in the state directory. Only
      // what the spool itself doesn't have is older than what it has.
      let spooled = Set(ids)
      ids = try KnownIDs.read(in: files.state).filter { !spooled.contains($0) }.suffix(wanted) + ids
    }
    for id in ids { loaded.insert(id) }
    window = loaded
    return loaded
  }

  /// Whether no id may be dropped, because many stored events are after the position. For up to a tenth of
  /// `knownEvents` the usual window is enough: Box serves them again in its first pages, and only nine tenths of
  /// a window of new events would drop the first of them.
  var needsFullWindow: Bool {
    position?.record.known == .all
      || mustKnow(upTo: firstOrdinal) > UInt64(max(0, setup.limits.knownEvents / 10))
  }

  /// How many of the events below an ordinal the record requires to be known.
  private func mustKnow(upTo end: UInt64) -> UInt64 {
    switch position?.record.known {
    case .since(let first): end > first ? end - first : 0
    case .all: end
    case .recent, nil: 0
    }
  }

  /// The ids in parts of segments, given newest first; the oldest id first.
  private func spooledIDs(
    _ parts: [(segment: UInt64, range: Range<Int>)]
  ) throws(StoreFailure) -> [EventIdentity] {
    var ids: [EventIdentity] = []
    var done = 0
    for part in parts.reversed() {
      guard let file = try files.spool.file(SegmentName.text(part.segment), writing: false) else { continue }
      defer { file.close() }
      let report = { [progress = setup.progress, done] (bytes: Int) in progress(done + bytes) }
      try file.forEachLine(in: part.range, progress: report) { line, _ throws(StoreFailure) in
        if let id = EventLine.identity(of: line) { ids.append(id) }
        return true
      }
      done += part.range.count
    }
    return ids
  }
}
