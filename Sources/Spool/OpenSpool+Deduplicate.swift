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

  /// The window of known ids, loaded if it isn't there.
  mutating func knownWindow() throws(StoreFailure) -> DuplicateWindow {
    while true {
      if let window { return window }
      try loadWindowSlice()
    }
  }

  /// Goes on loading the window with the ids of the newest events in the spool: those that the record requires to be
  /// known, and before them as many as ``keptEvents()``. A slice takes a moment, so that other streams' work can be done
  /// between two of them. Missing, compressed and unreadable segments are passed over; see ``KnownIDs``.
  mutating func loadWindowSlice() throws(StoreFailure) {
    var load = if let loading { loading } else { try beginLoading() }
    loading = nil
    if load.wanted > 0, let segment = load.segments.popLast() {
      try find(segment, &load)
    } else if let part = load.parts.popLast() {
      try read(part, &load)
    } else {
      window = try finished(load)
      return
    }
    setup.progress(load.bytes)
    loading = load
  }

  private mutating func beginLoading() throws(StoreFailure) -> WindowLoad {
    if recent.isEmpty {
      let (now, time) = (setup.clock.monotonic(), setup.clock.wallSeconds())
      for entry in try segmentLog.tail().lazy.compactMap({ SegmentEntry(parsing: $0) }) {
        recent.add(entry.ordinal, at: now - .seconds(max(0, time - entry.begunAt)))
      }
    }
    // Box's pages begin somewhat before the position: the usual window is for those, and more for the events after it
    // that must be known.
    let capacity = keptEvents()
    let wanted = capacity + Int(clamping: min(mustKnow(upTo: ordinal), 1 << 40))
    let segments = try files.spool.segments()
    return WindowLoad(newest: segments.last, segments: segments, wanted: wanted, capacity: capacity)
  }

  /// Finds where the wanted lines of a segment begin.
  private mutating func find(_ segment: UInt64, _ load: inout WindowLoad) throws(StoreFailure) {
    do throws(StoreFailure) {
      guard let file = try files.spool.file(SegmentName.text(segment), writing: false) else { return }
      defer { file.close() }
      let size = if let active, active.ordinal == segment { active.size } else { try file.size() }
      let last = try file.lastLines(load.wanted, before: size, progress: setup.progress)
      load.parts.append((segment, last.start..<size))
      load.wanted -= last.count
    } catch {
      try passOver(segment, error, &load)
    }
  }

  /// Reads a slice of a part, and leaves the rest.
  private mutating func read(_ part: WindowLoad.Part, _ load: inout WindowLoad) throws(StoreFailure) {
    do throws(StoreFailure) {
      guard let file = try files.spool.file(SegmentName.text(part.segment), writing: false) else { return }
      defer { file.close() }
      var size = WindowLoad.slice
      var (start, end) = (part.range.lowerBound, part.range.lowerBound)
      repeat {
        let upTo = start + min(part.range.upperBound - start, size)
        end = try file.forEachLine(in: start..<upTo) { line, _ throws(StoreFailure) in
          if let id = EventLine.identity(of: line) { load.ids.append(id) }
          return true
        }
        // A line may be longer than a slice.
        size *= 2
      } while end == start && size / 2 < part.range.upperBound - start
      load.bytes += end - start
      start = end
      if start < part.range.upperBound, end > part.range.lowerBound {
        load.parts.append((part.segment, start..<part.range.upperBound))
      }
    } catch {
      try passOver(part.segment, error, &load)
    }
  }

  /// An archiver may have left a link in place of a finished segment, or the disk can't read it any more. Nothing
  /// depends on it; it is reported once. The newest one's ids are nowhere else.
  private mutating func passOver(
    _ segment: UInt64, _ failure: StoreFailure, _ load: inout WindowLoad
  ) throws(StoreFailure) {
    guard failure.isOfOneFile, segment != load.newest else { throw failure }
    load.hasPassedOver = true
    if passedOver.insert(segment).inserted { setup.warn(failure) }
  }

  private func finished(_ load: WindowLoad) throws(StoreFailure) -> DuplicateWindow {
    var ids = load.ids
    var capacity = load.capacity
    if load.wanted > 0 || load.hasPassedOver, ordinal > 0 {
      // Finished segments are missing: the ids of the last of them are in the state directory. Only
      // what the spool itself doesn't have is older than what it has.
      let spooled = Set(ids)
      let wanted = load.hasPassedOver ? Int.max : load.wanted
      ids = try KnownIDs.read(in: files.state).filter { !spooled.contains($0) }.suffix(wanted) + ids
      if load.hasPassedOver { capacity = max(capacity, ids.count) }
    }
    var window = DuplicateWindow(capacity: needsFullWindow ? .max : capacity)
    for id in ids { window.insert(id) }
    return window
  }

  /// How many of the newest events are known: ``SpoolLimits/knownEvents``, and where the last hours have brought more,
  /// those, up to a ceiling.
  mutating func keptEvents() -> Int {
    let limits = setup.limits
    let count = recent.count(upTo: ordinal, at: setup.clock.monotonic(), within: limits.knownPeriod)
    return max(limits.knownEvents, min(count, limits.knownCeiling))
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
}

/// The window of known ids, half loaded.
struct WindowLoad: Sendable {
  typealias Part = (segment: UInt64, range: Range<Int>)
  /// Bytes read at once: some ten milliseconds.
  static let slice = 4 << 20

  let newest: UInt64?
  /// Segments that were not looked at, the oldest first.
  var segments: [UInt64]
  /// How many ids are still missing.
  var wanted: Int
  let capacity: Int
  /// What is to be read, the newest first.
  var parts: [Part] = []
  /// What was read, the oldest first.
  var ids: [EventIdentity] = []
  /// Bytes read.
  var bytes = 0
  /// A segment couldn't be read.
  var hasPassedOver = false
}
