/// Reading until the stream is caught up.
extension FeedStateMachine {
  /// A page has come and been deduplicated.
  package mutating func pageRead(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    guard case .reading(let request) = state else { return action }
    lastRead = now
    readProblem = nil
    readBackoff.reset()
    refusals = 0
    isBlocked = false
    blockedAttempts = 0
    if let date = outcome.date { boxTime = (date, now) }
    if checkpoint.continuousAt == nil { readSince = outcome.date }
    if let gap = gap(shownBy: outcome) {
      return enter(.recording(gap, outcome, request), budget: rules.commitBudget, at: now)
    }
    return take(outcome, of: request, at: now)
  }

  /// A read has failed. A failure never moves the position.
  package mutating func readFailed(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    guard case .reading = state else { return action }
    lastRead = now
    if check != nil { return checkFailed(failure, at: now) }
    readProblem = failure
    switch failure.code {
    case .unreachable, .throttled, .serverError, .unreadable, .realtimeRefused, .signInFailed, .cancelled:
      isBlocked = false
      return wait(readBackoff.next(&jitter, retryAfter: failure.retryAfter), then: .read, at: now)
    case .malformedPage, .tooLarge:
      return shrink(at: now)
    case .unauthorized, .forbidden, .refused:
      refusals += 1
      guard refusals >= rules.refusalsBeforeBlocked else {
        return wait(readBackoff.next(&jitter, retryAfter: failure.retryAfter), then: .read, at: now)
      }
      return block(at: now)
    case .signInRefused:
      isBlocked = true
      return wait(rules.signInInterval, then: .read, at: now)
    }
  }

  /// Reads from the present position, at once or when the spacing of idle reads allows.
  mutating func read(at now: FeedInstant) -> FeedAction {
    if unproductive >= 2, let lastRead, now < lastRead + rules.spacing {
      return wait(now.duration(to: lastRead + rules.spacing), then: .read, at: now)
    }
    if asked.count >= FeedRules.maximumAsked { asked = [] }
    asked.insert(position)
    let request = ReadRequest(position: position, limit: FeedRules.limits[limitIndex])
    return enter(.reading(request), budget: rules.requestBudget, at: now)
  }

  /// What a readable page leads to.
  mutating func take(
    _ outcome: PageOutcome, of request: ReadRequest, at now: FeedInstant
  ) -> FeedAction {
    if request.position == .now {
      return begin(outcome, at: now)
    }
    if check != nil {
      return takeChecked(outcome, request.position, at: now)
    }
    if outcome.new > 0 {
      return commit(outcome, at: now)
    }
    unproductive += 1
    emptyPages = outcome.entries == 0 ? emptyPages + 1 : 0
    let answered = answeredPosition(outcome, from: position)
    if !asked.contains(answered) {
      position = answered
      return emptyPages < rules.emptyPagesBeforeWaiting ? read(at: now) : caughtUpUnproven(outcome, at: now)
    }
    if outcome.entries >= request.limit {
      return stall(at: now)
    }
    return caughtUp(outcome, at: now)
  }

  /// The answer to `now` gives the position a new stream starts from.
  private mutating func begin(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    guard let next = outcome.nextPosition else {
      readProblem = FeedFailure(.unreadable, "Box's answer names no position to start from")
      return wait(readBackoff.next(&jitter), then: .read, at: now)
    }
    asked = []
    (confirmedAt, readSince) = (outcome.date, nil)
    let checkpoint = Checkpoint(position: .at(next), confirmedAt: confirmedAt)
    return enter(.beginning(checkpoint), budget: rules.commitBudget, at: now)
  }

  private mutating func commit(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    asked = []
    (unproductive, emptyPages) = (0, 0)
    emptyWakeUps = 0
    awaitsProof = false
    isStalled = false
    stalls.reset()
    unreadablePages = 0
    limitIndex = max(0, limitIndex - 1)
    let next = outcome.nextPosition.map(ReadPosition.at) ?? position
    lookbackHistory?.pass(next, new: outcome.new, at: now)
    let checkpoint = Checkpoint(position: next, confirmedAt: confirmedAt, readSince: readSince)
    return enter(.committing(checkpoint), budget: rules.commitBudget, at: now)
  }

  /// Where a page without new events leads. An empty page may carry a lower position, or none.
  func answeredPosition(_ outcome: PageOutcome, from position: ReadPosition) -> ReadPosition {
    guard let next = outcome.nextPosition else { return position }
    if outcome.entries == 0, case .at(let ours) = position, !next.exceeds(ours) { return position }
    return .at(next)
  }

  /// Empty page after empty page, each with another position: nothing seems to be left. That is no proof that
  /// the stream is complete, but it has been read on without a break.
  private mutating func caughtUpUnproven(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    if let date = outcome.date, checkpoint.continuousAt != nil { readSince = date }
    return waitForChange(behind: outcome, at: now)
  }

  /// Nothing is left to read. The stream is complete as of the answer's date.
  private mutating func caughtUp(_ outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    if let date = outcome.date { (confirmedAt, readSince) = (date, nil) }
    return waitForChange(behind: outcome, at: now)
  }

  /// The stream has been read as far as it goes; its position is saved if that is due.
  private mutating func waitForChange(behind outcome: PageOutcome, at now: FeedInstant) -> FeedAction {
    asked = []
    emptyPages = 0
    limitIndex = 0
    unreadablePages = 0
    isStalled = false
    stalls.reset()
    if awaitsProof {
      awaitsProof = false
      emptyWakeUps += 1
    }
    if saved.checkpoint != checkpoint, now >= saved.at + rules.saveInterval {
      return enter(.saving(checkpoint), budget: rules.commitBudget, at: now)
    }
    return startLookback(at: now)
  }

  /// A full page, all of it known, leading nowhere: more known events stand at this position than
  /// a page holds.
  private mutating func stall(at now: FeedInstant) -> FeedAction {
    asked = []
    if limitIndex > 0 {
      // A smaller page than Box allows was asked for because a larger one could not be read.
      limitIndex = 0
      return countUnreadable(at: now)
    }
    isStalled = true
    return wait(max(.seconds(1), stalls.next(&jitter)), then: .read, at: now)
  }

  /// A page could not be read to its end: ask for fewer events, so that what is odd stands alone.
  private mutating func shrink(at now: FeedInstant) -> FeedAction {
    if limitIndex + 1 < FeedRules.limits.count {
      limitIndex += 1
      return wait(readBackoff.next(&jitter), then: .read, at: now)
    }
    return countUnreadable(at: now)
  }

  private mutating func countUnreadable(at now: FeedInstant) -> FeedAction {
    unreadablePages += 1
    let failure =
      readProblem ?? FeedFailure(.malformedPage, "the pages before a malformed one hold nothing new")
    readProblem = failure
    guard unreadablePages >= rules.refusalsBeforeBlocked else {
      return wait(readBackoff.next(&jitter), then: .read, at: now)
    }
    readProblem?.hint =
      "what Box serves at position \(position) can't be read; to go on behind it, stop the daemon and "
      + "move the stream with `box-eventd position set`"
    return block(at: now)
  }

  /// The problem lasts: from now on it is only looked at now and then.
  private mutating func block(at now: FeedInstant) -> FeedAction {
    isBlocked = true
    blockedAttempts += 1
    return wait(rules.blockedInterval, then: .read, at: now)
  }

  /// The gap that an answer proves possible: Box's clock has moved on by more than it keeps events
  /// since the stream was last seen complete, or, if it never was, since it was begun.
  private func gap(shownBy outcome: PageOutcome) -> Gap? {
    guard let continuousAt = checkpoint.continuousAt, let date = outcome.date,
      date.since(continuousAt) > rules.retention
    else { return nil }
    return Gap(
      cause: .retention, from: position, to: outcome.nextPosition.map(ReadPosition.at),
      since: continuousAt, until: date)
  }
}
