/// Reading until the stream is caught up.
extension FeedStateMachine {
  /// What is known of the pages since the stream last brought something new.
  struct Reading: Hashable, Sendable {
    /// Positions asked for since the last new event: an answer that leads back to one of them is caught up.
    var asked: Set<ReadPosition> = []
    /// Reads in a row without a new event.
    var unproductive = 0
    /// Pages in a row without any event, since the stream last waited for a change.
    var emptyPages = 0
    var lastRead: FeedInstant?
    /// Index into ``FeedRules/limits``.
    var limitIndex = 0
    /// Pages in a row that could not be read at the smallest limit.
    var unreadablePages = 0
    /// Full pages of known events, in a row, that led nowhere.
    var stalls = Backoff(cap: .seconds(60))
    /// Not caught up since the start or since a full page.
    var isBehind = true
    /// The last page ended with events that had only just happened.
    var isRecent = false

    var isStalled: Bool { stalls.failures > 0 }

    /// - Parameters:
    ///   - isFull: more may be waiting.
    mutating func foundNewEvents(isFull: Bool, isRecent: Bool) {
      self = Reading(
        lastRead: lastRead, limitIndex: max(0, limitIndex - 1), isBehind: isBehind || isFull,
        isRecent: isRecent && !isFull)
    }

    /// Only the spacing of unproductive reads goes on.
    mutating func caughtUp() {
      self = Reading(unproductive: unproductive, lastRead: lastRead, isBehind: false)
    }
  }

  /// Failed reads in a row; a page that can be read, and that the stream can go on from, ends the row.
  struct FailedReads: Hashable, Sendable {
    var backoff = Backoff()
    /// Requests that Box has refused.
    var refusals = 0
    /// Why reads fail; nil when the last one succeeded.
    var problem: ReadProblem?
  }

  enum ReadProblem: Hashable, Sendable {
    /// Tried again with back-off.
    case temporary(FeedFailure)
    /// Tried again only now and then.
    case lasting(FeedFailure)

    var failure: FeedFailure {
      switch self {
      case .temporary(let failure), .lasting(let failure): failure
      }
    }
  }

  // MARK: Inputs

  /// A page has been read and deduplicated.
  package mutating func pageRead(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    guard case .reading(let request) = state else { return unexpected("pageRead") }
    reading.lastRead = now
    if lookbacks.current == nil, let failure = outcome.failure(readFrom: request.position) {
      failedReads.problem = .temporary(failure)
    } else {
      failedReads = FailedReads()
    }
    if outcome.entries < request.limit { pace.spend(at: now) }
    var outcome = outcome
    if let date = outcome.date {
      let isInDoubt = boxClock.isInDoubt
      if !boxClock.take(date, after: checkpoint.continuousAt, at: now) {
        // Nothing is concluded from the page before it has come once more, with a date that confirms this one or not.
        if !isInDoubt, lookbacks.current == nil { return wait(rules.spacing, then: .read, at: now) }
        outcome = PageOutcome(outcome.batch, date: nil)
      }
    }
    if checkpoint.continuousAt == nil { checkpoint.readSince = outcome.date }
    if let gap = gap(shownBy: outcome) { return store(.recording(gap, outcome, request), at: now) }
    return take(outcome, of: request, at: now)
  }

  /// A read has failed. A failure never moves the position.
  package mutating func readFailed(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    guard case .reading = state else { return unexpected("readFailed") }
    reading.lastRead = now
    if lookbacks.current != nil { return abandonLookback(after: failure, at: now) }
    switch failure.code {
    case .unreachable, .throttled, .serverError, .unreadable, .realtimeRefused, .signInFailed, .cancelled:
      return retryRead(after: failure, at: now)
    case .malformedPage, .tooLarge: return shrink(after: failure, at: now)
    case .unauthorized, .forbidden, .refused:
      failedReads.refusals += 1
      return failedReads.refusals < rules.refusalsBeforeBlocked
        ? retryRead(after: failure, at: now) : block(failure, at: now)
    case .signInRefused:
      failedReads.problem = .lasting(failure)
      return wait(rules.signInInterval, then: .read, at: now)
    }
  }

  // MARK: Pages

  /// Reads from the present position, at once or when the spacing of unproductive reads allows.
  mutating func read(at now: FeedInstant) -> FeedAction {
    let spaced = reading.unproductive >= 2 ? reading.lastRead.map { $0 + rules.spacing } : nil
    if let notBefore = [spaced, pace.next].compactMap(\.self).max(), now < notBefore {
      return wait(now.duration(to: notBefore), then: .read, at: now)
    }
    if reading.asked.count >= FeedRules.maximumAsked { reading.asked = [] }
    reading.asked.insert(checkpoint.position)
    let limit = FeedRules.limits[reading.limitIndex]
    return read(ReadRequest(position: checkpoint.position, limit: limit), at: now)
  }

  /// What a readable page leads to.
  mutating func take(_ outcome: PageOutcome, of request: ReadRequest, at now: FeedInstant) -> FeedAction {
    if lookbacks.current != nil { return takeLookback(outcome, from: request.position, at: now) }
    if request.position == .now, let next = outcome.nextPosition {
      return begin(at: next, outcome.date, at: now)
    }
    if outcome.new > 0, request.position != .now { return commit(outcome, of: request, at: now) }
    if let problem = failedReads.problem { return retryRead(after: problem.failure, at: now) }
    reading.unproductive += 1
    reading.emptyPages = outcome.entries == 0 ? reading.emptyPages + 1 : 0
    let answered = answeredPosition(outcome, from: checkpoint.position)
    if !reading.asked.contains(answered) {
      checkpoint.position = answered
      if let time = outcome.completeUntil { checkpoint.extend(to: time) }
      let emptyPages = reading.isBehind ? rules.emptyPagesBeforeWaiting : rules.emptyPagesWhenCaughtUp
      return reading.emptyPages < emptyPages ? read(at: now) : caughtUpUnproven(outcome, at: now)
    }
    return outcome.entries >= request.limit ? stall(at: now) : caughtUp(outcome, at: now)
  }

  /// The answer to `now` gives the position a new stream starts from.
  private mutating func begin(
    at next: StreamPosition, _ date: BoxTime?, at now: FeedInstant
  ) -> FeedAction {
    reading.asked = []
    (checkpoint.confirmedAt, checkpoint.readSince) = (date, nil)
    return store(.beginning(Checkpoint(position: .at(next), confirmedAt: date)), at: now)
  }

  private mutating func commit(
    _ outcome: PageOutcome, of request: ReadRequest, at now: FeedInstant
  ) -> FeedAction {
    realtime.emptyWakeUps = 0
    realtime.broughtEvents(&jitter, at: now)
    var next = checkpoint
    var isRecent = false
    if let position = outcome.nextPosition { next.position = .at(position) }
    // Without a position, more may follow at any time.
    if failedReads.problem == nil, let time = outcome.completeUntil, let date = outcome.date {
      isRecent = date.since(time) <= rules.recent
      if isRecent { (next.confirmedAt, next.readSince) = (time, nil) } else { next.extend(to: time) }
    }
    reading.foundNewEvents(isFull: outcome.entries >= request.limit, isRecent: isRecent)
    lookbacks.history?.pass(next.position, new: outcome.new, at: now)
    return store(.committing(outcome.batch, next), at: now)
  }

  /// Where a page without new events leads. An empty page may carry a lower position, or none.
  func answeredPosition(_ outcome: PageOutcome, from position: ReadPosition) -> ReadPosition {
    guard let next = outcome.nextPosition else { return position }
    if outcome.entries == 0, case .at(let ours) = position, !next.exceeds(ours) { return position }
    return .at(next)
  }

  /// Empty page after empty page, each with another position: nothing seems to be left. That doesn't prove
  /// that the stream is complete, but it has been read on without a break.
  private mutating func caughtUpUnproven(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    if let date = outcome.date, checkpoint.continuousAt != nil { checkpoint.readSince = date }
    return saveIfDue(at: now)
  }

  /// Nothing is left to read. The stream is complete as of the answer's date.
  private mutating func caughtUp(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    if let date = outcome.date { (checkpoint.confirmedAt, checkpoint.readSince) = (date, nil) }
    return saveIfDue(at: now)
  }

  mutating func saveIfDue(at now: FeedInstant) -> FeedAction {
    reading.caughtUp()
    realtime.briefPolls = 0
    let isDue = saved.checkpoint != checkpoint && now >= saved.at + rules.saveInterval
    return isDue ? store(.saving(checkpoint), at: now) : startLookback(at: now)
  }

  /// The gap that an answer proves possible: Box's clock has moved on by more than it keeps events
  /// since the stream was last seen complete, or, if it never was, since it was begun.
  private func gap(shownBy outcome: PageOutcome) -> Gap? {
    guard let continuousAt = checkpoint.continuousAt, let date = outcome.date,
      date.since(continuousAt) > rules.retention
    else { return nil }
    return Gap(
      cause: .retention, from: checkpoint.position, to: outcome.nextPosition.map(ReadPosition.at),
      since: continuousAt, until: date)
  }

  // MARK: Problems

  mutating func retryRead(after failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    failedReads.problem = .temporary(failure)
    return wait(failedReads.backoff.next(&jitter, retryAfter: failure.retryAfter), then: .read, at: now)
  }

  /// The problem lasts: from now on it is tried only now and then.
  private mutating func block(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    failedReads.problem = .lasting(failure)
    return wait(rules.blockedInterval, then: .read, at: now)
  }

  /// A full page, all of it known, leading nowhere: the events at this position fill more than a page.
  private mutating func stall(at now: FeedInstant) -> FeedAction {
    reading.asked = []
    if reading.limitIndex > 0 {
      // A smaller page than Box allows was asked for because a larger one could not be read.
      reading.limitIndex = 0
      return countUnreadable(
        FeedFailure(.malformedPage, "the pages before a malformed one hold nothing new"), at: now)
    }
    return wait(max(.seconds(1), reading.stalls.next(&jitter)), then: .read, at: now)
  }

  /// A page could not be read to its end: ask for fewer events, until the invalid entry comes alone.
  private mutating func shrink(after failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    guard reading.limitIndex + 1 < FeedRules.limits.count else { return countUnreadable(failure, at: now) }
    reading.limitIndex += 1
    return retryRead(after: failure, at: now)
  }

  private mutating func countUnreadable(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    reading.unreadablePages += 1
    guard reading.unreadablePages >= rules.refusalsBeforeBlocked else {
      return retryRead(after: failure, at: now)
    }
    var failure = failure
    let wayOut =
      "To skip what Box answers at position \(checkpoint.position), stop box-eventd, then run: "
      + "box-eventd position set STREAM now. A gap is recorded."
    failure.hint = [failure.hint, wayOut].compactMap { $0 }.joined(separator: " ")
    return block(failure, at: now)
  }
}
