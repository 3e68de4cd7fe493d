/// Lookbacks for events that Box has shown late.
///
/// Box gives events a place in its stream when they happen, and may show them later than their neighbours:
/// an event that appears before a position that has been read is never served again from there. A lookback
/// reads a stretch again, from where the stream was two intervals ago, so that everything is looked for once
/// more at least one interval later. It never moves the position: what it finds is stored at the stream's.
/// Every event of the stretch must be known by its id: after too many finds it leaves the rest to the next.
extension FeedStateMachine {
  /// The lookback under way and what it needs.
  struct Lookbacks: Hashable, Sendable {
    /// The lookback under way, from a stream that is caught up.
    var current: Lookback?
    /// Nil without lookbacks.
    var history: LookbackHistory?
    /// When the last one ended, or the stream was started.
    var lastEnd: FeedInstant
    /// How many have come to their end.
    var completed = 0

    init(_ rules: FeedRules, at now: FeedInstant) {
      lastEnd = now
      history = rules.lookbackInterval.map { LookbackHistory(limit: rules.lookbackEvents, spacing: $0 / 4) }
    }

    mutating func end(at now: FeedInstant) { (current, lastEnd) = (nil, now) }
  }

  /// The stream is caught up, and its position saved if that was due.
  mutating func startLookback(at now: FeedInstant) -> FeedAction {
    guard let interval = rules.lookbackInterval, now >= lookbacks.lastEnd + interval else {
      return waitForChange(at: now)
    }
    lookbacks.history?.forget(before: now.advanced(by: .zero - interval * 2))
    guard let start = lookbacks.history?.start, start != checkpoint.position else {
      return waitForChange(at: now)
    }
    lookbacks.current = Lookback(next: start)
    return continueLookback(at: now)
  }

  /// What a page of a lookback leads to.
  mutating func takeLookback(
    _ outcome: PageOutcome, from position: ReadPosition, at now: FeedInstant
  ) -> FeedAction {
    if outcome.new == 0, let failure = outcome.failure(readFrom: position) {
      return abandonLookback(after: failure, at: now)
    }
    let next = answeredPosition(outcome, from: position)
    // It also ends at an empty page or after too many pages: a server whose positions pass with the time
    // leads neither back nor to ours.
    let isOver = next == checkpoint.position || outcome.entries == 0
    lookbacks.current?.take(outcome, next: isOver ? nil : next, rules)
    guard outcome.new > 0 else { return continueLookback(at: now) }
    lookbacks.history?.pass(checkpoint.position, new: outcome.new, at: now)
    return store(.committing(outcome.batch, checkpoint), at: now)
  }

  /// The next page of a lookback, or its end. What it has found may include events that have only just
  /// happened: a read from the stream's own position marks them as known.
  mutating func continueLookback(at now: FeedInstant) -> FeedAction {
    guard let next = lookbacks.current?.next else {
      let hasFound = (lookbacks.current?.found ?? 0) > 0
      lookbacks.end(at: now)
      lookbacks.completed += 1
      return hasFound ? read(at: now) : waitForChange(at: now)
    }
    lookbacks.current?.asked.insert(next)
    return read(ReadRequest(position: next), at: now)
  }

  /// A page of a lookback could not be had. The stretch was readable before, so the failure means nothing for
  /// the stream; the next lookback tries again.
  mutating func abandonLookback(after failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    lookbacks.end(at: now)
    return wait(failedReads.backoff.next(&jitter, retryAfter: failure.retryAfter), then: .read, at: now)
  }
}

/// One lookback: a stretch before the position, read again while the stream is caught up.
struct Lookback: Hashable, Sendable {
  /// What the next read starts from; nil at the end of the stretch.
  var next: ReadPosition?
  /// Positions asked for: an answer that leads back to one of them ends the lookback.
  var asked: Set<ReadPosition> = []
  /// Events found.
  var found = 0

  /// - Parameter position: where the page leads; nil where it ends the stretch.
  mutating func take(_ outcome: PageOutcome, next position: ReadPosition?, _ rules: FeedRules) {
    found += outcome.new
    next = position.flatMap { asked.contains($0) ? nil : $0 }
    if found > rules.lookbackFinds || asked.count >= rules.lookbackPages { next = nil }
  }
}

/// Where a stream has been lately: positions with the moment and the count of events since when each
/// was in force.
struct LookbackHistory: Hashable, Sendable {
  private struct Point: Hashable, Sendable {
    var position: ReadPosition
    var since: FeedInstant
    var events: Int
  }

  /// How many events may follow the oldest position.
  let limit: Int
  /// How far apart positions are kept, unless as many events as a tenth of `limit` lie between them.
  let spacing: Duration
  private var points: [Point] = []
  private var events = 0

  init(limit: Int, spacing: Duration) {
    self.limit = limit
    self.spacing = spacing
  }

  /// The oldest position that is kept.
  var start: ReadPosition? { points.first?.position }

  /// The stream goes on from another position, after new events.
  mutating func pass(_ position: ReadPosition, new: Int, at now: FeedInstant) {
    events += new
    let isFarFromLast = points.last.map { last in
      position != last.position && (now >= last.since + spacing || events - last.events >= limit / 10)
    }
    if isFarFromLast ?? true { points.append(Point(position: position, since: now, events: events)) }
    while let first = points.first, events - first.events > limit { points.removeFirst() }
  }

  /// Forgets what was in force only before a moment.
  mutating func forget(before moment: FeedInstant) {
    while points.count > 1, points[1].since <= moment { points.removeFirst() }
  }
}
