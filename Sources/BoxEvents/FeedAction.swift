/// What the driver does next. Each action is answered by one call of the machine. Indirect, so that a driver's async
/// frame holds a reference instead of several copies of a batch.
package indirect enum FeedAction: Hashable, Sendable {
  /// Read a page; then `pageRead`, `readFailed` or `diskFull`.
  case read(ReadRequest)
  /// Record the start of a new stream; then `stored` or `diskFull`.
  case begin(Checkpoint)
  /// Commit the page just read; then `stored` or `diskFull`.
  case commit(EventBatch, at: Checkpoint)
  /// Save the position; then `stored` or `diskFull`.
  case save(Checkpoint)
  /// Record a break in continuity; then `stored` or `diskFull`.
  case record(Gap)
  /// Ask for a realtime server; then `subscribed` or `subscribeFailed`.
  case subscribe
  /// Long-poll; then `replied` or `pollFailed`.
  case poll(RealtimeServer, from: ReadPosition)
  /// Do nothing until then; then `woke`.
  case wait(until: FeedInstant)
}

/// A page that was read and deduplicated.
package struct PageOutcome: Hashable, Sendable {
  package let batch: EventBatch
  /// Box's time of the answer.
  package let date: BoxTime?

  package init(_ batch: EventBatch, date: BoxTime?) {
    self.batch = batch
    self.date = date
  }

  /// Events that are not in the store yet, and rejected entries that are not quarantined yet.
  var new: Int { batch.new.count + batch.newRejects.count }
  /// Entries of any kind.
  var entries: Int { batch.page.entryCount }
  var nextPosition: StreamPosition? { batch.page.nextPosition }

  /// Why the stream can't go on from the page: it names no position to go on from. An empty page may do without, as
  /// Box's do: it leads past nothing.
  package func failure(readFrom position: ReadPosition) -> FeedFailure? {
    guard nextPosition == nil, entries > 0 || position == .now else { return nil }
    return FeedFailure(
      .unreadable, "Box's answer has an unusable next_stream_position (\(batch.page.positionText))")
  }

  /// How far the page shows the stream to be complete: when its first and its last event happened, the earlier of the
  /// two, and never after the answer. Nil where it doesn't tell.
  var completeUntil: BoxTime? {
    let events = batch.page.events.indices
    guard let date, let first = events.first, let last = events.last else { return nil }
    let times = [first, last].compactMap { batch.creationDate(ofEvent: $0).map(BoxTime.init) }
    return times.count == 2 ? min(date, times[0], times[1]) : nil
  }
}

/// The state of a feed, as the status shows it.
package enum FeedCondition: Hashable, Sendable {
  case reading
  case polling
  /// Back-off or spacing; the failure that caused it, if one did.
  case waiting(FeedFailure?)
  /// Box serves a full page of known events again and again.
  case stalled
  /// The disk is full, or less than `keep_free` is left.
  case paused(StoreFailure)
  /// Tried again only now and then: operator action required.
  case blocked(FeedFailure)
}
