/// What the driver does next. Each action is answered by one call of the machine.
package enum FeedAction: Hashable, Sendable {
  /// Read a page; then `pageRead`, `readFailed` or `diskFull`.
  case read(ReadRequest)
  /// Record the start of a new stream; then `stored`.
  case begin(Checkpoint)
  /// Commit the page just read; then `stored` or `diskFull`.
  case commit(Checkpoint)
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

/// What a page brought, as far as the feed's rules care.
package struct PageOutcome: Hashable, Sendable {
  /// Events that are not in the store yet, and odd entries not yet quarantined.
  package var new: Int
  /// Entries of any kind.
  package var entries: Int
  package var nextPosition: StreamPosition?
  /// Box's time of the answer.
  package var date: BoxTime?

  package init(new: Int, entries: Int, nextPosition: StreamPosition?, date: BoxTime? = nil) {
    self.new = new
    self.entries = entries
    self.nextPosition = nextPosition
    self.date = date
  }
}

/// How a feed is, in the words of the status.
package enum FeedCondition: Hashable, Sendable {
  case reading
  case polling
  /// Back-off or spacing; the failure that caused it, if one did.
  case waiting(FeedFailure?)
  /// Box serves a full page of known events again and again.
  case stalled
  /// The disk has too little room.
  case paused
  /// Tried again only now and then: a person must act.
  case blocked(FeedFailure)
}
