/// Looking back for what Box has shown late.
///
/// Box gives events a place in its stream when they happen, and may show them later than their neighbours:
/// one that appears behind a position that has been read is never served again from there. An lookback
/// reads a stretch again, from where the stream was two intervals ago, so that everything is looked for once
/// more at least one interval later.
///
/// A check never moves the position: what it finds is stored at the stream's own. The stretch is short
/// enough for every event in it to be known by its id, and a check that finds too much, so that
/// this would cease to hold, ends and leaves the rest to the next.
extension FeedStateMachine {
  /// The stream is caught up, and its position saved if that was due.
  mutating func startLookback(at now: FeedInstant) -> FeedAction {
    guard let interval = rules.lookbackInterval, now >= lastCheck + interval else {
      return waitForChange(at: now)
    }
    lookbackHistory?.forget(before: now.advanced(by: .zero - interval * 2))
    guard let start = lookbackHistory?.start, start != position else { return waitForChange(at: now) }
    check = Lookback(position: start)
    return continueLookback(at: now)
  }

  /// What a page of a check leads to.
  mutating func takeChecked(_ outcome: PageOutcome, _ from: ReadPosition, at now: FeedInstant) -> FeedAction {
    let next = answeredPosition(outcome, from: from)
    check?.found += outcome.new
    // Also where nothing is shown, or after too many pages: a server whose positions pass with the time leads
    // neither back nor to ours.
    let isOver =
      next == position || check?.asked.contains(next) != false || outcome.entries == 0
      || (check?.found ?? 0) > rules.lookbackFinds || (check?.asked.count ?? 0) >= rules.lookbackPages
    check?.position = isOver ? nil : next
    guard outcome.new > 0 else { return continueLookback(at: now) }
    lookbackHistory?.pass(position, new: outcome.new, at: now)
    return enter(.committing(checkpoint), budget: rules.commitBudget, at: now)
  }

  /// The next page of a check, or its end. What it has found may include events that have only just
  /// happened: the stream's own reading knows them.
  mutating func continueLookback(at now: FeedInstant) -> FeedAction {
    guard let next = check?.position else {
      let hasFound = (check?.found ?? 0) > 0
      endCheck(at: now)
      lookbacks += 1
      return hasFound ? read(at: now) : waitForChange(at: now)
    }
    check?.asked.insert(next)
    let request = ReadRequest(position: next, limit: ReadRequest.maximumLimit)
    return enter(.reading(request), budget: rules.requestBudget, at: now)
  }

  /// A page of a check could not be had. The stretch was readable before, so this says nothing of the
  /// stream; the next check tries again.
  mutating func checkFailed(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    endCheck(at: now)
    return wait(readBackoff.next(&jitter, retryAfter: failure.retryAfter), then: .read, at: now)
  }

  private mutating func endCheck(at now: FeedInstant) {
    check = nil
    lastCheck = now
  }
}
