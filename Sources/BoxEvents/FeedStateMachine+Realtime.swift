/// Waiting for Box to say that something happened.
extension FeedStateMachine {
  /// OPTIONS has named a server.
  package mutating func subscribed(_ server: RealtimeServer, at now: FeedInstant) -> FeedAction {
    guard case .subscribing = state else { return action }
    subscription = Subscription(server: server, since: now)
    subscribeNotBefore = nil
    // After the fallback one poll more decides whether it goes on.
    emptyWakeUps = min(emptyWakeUps, rules.emptyWakeUpsBeforeFallback - 1)
    return waitForChange(at: now)
  }

  /// OPTIONS has failed: the stream is read at an interval until a server can be had.
  package mutating func subscribeFailed(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    guard case .subscribing = state else { return action }
    return fallBack(failure, at: now)
  }

  /// The long poll has been answered. Whatever it says, the stream is read; what it says decides
  /// whether the same server is polled afterwards.
  package mutating func replied(_ reply: RealtimeReply, at now: FeedInstant) -> FeedAction {
    guard case .polling(_, let since) = state else { return action }
    pollEnded(since: since, at: now)
    switch reply {
    case .newChange, .outOfDate:
      realtimeBackoff.reset()
      realtimeProblem = nil
    case .reconnect, .maxRetries:
      realtimeBackoff.reset()
      realtimeProblem = nil
      subscription = nil
    case .unknown(let what):
      subscription = nil
      realtimeProblem = FeedFailure(.unreadable, "the realtime server answered with \(what)")
      subscribeNotBefore = now + realtimeBackoff.next(&jitter)
    }
    return read(at: now)
  }

  /// The long poll has brought no answer, or an error.
  package mutating func pollFailed(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    guard case .polling(_, let since) = state else { return action }
    pollEnded(since: since, at: now)
    subscription = nil
    realtimeProblem = failure
    subscribeNotBefore = now + realtimeBackoff.next(&jitter, retryAfter: failure.retryAfter)
    return read(at: now)
  }

  /// The stream is caught up: poll the server in use, ask for one, or wait for the next read.
  mutating func waitForChange(at now: FeedInstant) -> FeedAction {
    guard rules.hasRealtimeServer else { return wait(rules.interval, then: .read, at: now) }
    if emptyWakeUps >= rules.emptyWakeUpsBeforeFallback, subscribeNotBefore == nil {
      subscription = nil
      subscribeNotBefore = now + rules.fallbackPeriod
      realtimeProblem = FeedFailure(
        .unreadable, "the realtime server answers at once, again and again, with nothing to read",
        hint: "the stream is read every \(rules.fallbackInterval.components.seconds) s meanwhile")
    }
    if let subscribeNotBefore, now < subscribeNotBefore {
      return waitWithoutServer(until: subscribeNotBefore, at: now)
    }
    guard let subscription, !isUsedUp(subscription, at: now) else {
      return enter(.subscribing, budget: rules.requestBudget, at: now)
    }
    if emptyWakeUps >= rules.emptyWakeUpsBeforeWaiting, !hasWaited {
      return delayPoll(at: now)
    }
    return poll(subscription, at: now)
  }

  private mutating func poll(_ current: Subscription, at now: FeedInstant) -> FeedAction {
    hasWaited = false
    subscription?.polls += 1
    return enter(
      .polling(current.server, since: now), budget: current.server.retryTimeout + rules.pollGrace, at: now)
  }

  /// Empty wake-ups are spaced by 1 to 60 s, growing, with jitter.
  private mutating func delayPoll(at now: FeedInstant) -> FeedAction {
    hasWaited = true
    let ceiling = min(
      Duration.seconds(60), .seconds(1 << min(emptyWakeUps - rules.emptyWakeUpsBeforeWaiting + 1, 6)))
    return wait(jitter.duration(in: .seconds(1)...ceiling), then: .listen, at: now)
  }

  private mutating func fallBack(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    subscription = nil
    realtimeProblem = failure
    subscribeNotBefore = now + realtimeBackoff.next(&jitter, retryAfter: failure.retryAfter)
    return waitForChange(at: now)
  }

  /// Until OPTIONS may be tried again, or the next read of the fallback is due.
  private mutating func waitWithoutServer(until: FeedInstant, at now: FeedInstant) -> FeedAction {
    let nextRead = max(now, (lastRead ?? now) + rules.fallbackInterval)
    return nextRead < until
      ? wait(now.duration(to: nextRead), then: .read, at: now)
      : wait(now.duration(to: until), then: .listen, at: now)
  }

  private mutating func pollEnded(since: FeedInstant, at now: FeedInstant) {
    if now < since + rules.emptyWakeUpLimit {
      awaitsProof = true
    } else {
      awaitsProof = false
      emptyWakeUps = 0
    }
  }

  private func isUsedUp(_ subscription: Subscription, at now: FeedInstant) -> Bool {
    subscription.polls >= subscription.server.maximumPolls
      || now >= subscription.since + subscription.server.timeToLive
  }
}
