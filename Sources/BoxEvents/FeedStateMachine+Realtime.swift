/// Waiting for Box to report a change.
extension FeedStateMachine {
  /// What is known of the realtime servers.
  struct Realtime: Hashable, Sendable {
    /// A server in use.
    struct Subscription: Hashable, Sendable {
      let server: RealtimeServer
      let since: FeedInstant
      var polls = 0

      func isUsedUp(at now: FeedInstant) -> Bool {
        polls >= server.maximumPolls || now >= since + server.timeToLive
      }
    }

    var subscription: Subscription?
    /// OPTIONS is not tried before; nil where it may be.
    var subscribeNotBefore: FeedInstant?
    /// After empty wake-ups, when the next poll may start; nil while that has not been decided.
    var pollNotBefore: FeedInstant?
    var backoff = Backoff()
    /// Polls in a row that were answered soon, and after which no new event has come.
    var emptyWakeUps = 0
    /// Why a realtime server can't be had; nil when one answers, or has held a poll.
    var problem: FeedFailure?
    /// Changes follow one another: the last poll was answered within ``FeedRules/briefPoll``.
    var isBusy = false
    /// Polls since the stream was last caught up.
    var briefPolls = 0
    /// How the last poll ended, until the reads that follow it have brought something or nothing.
    var endedPoll: EndedPoll?

    enum EndedPoll: Hashable, Sendable {
      /// Box has announced a change that was not found yet.
      case announced
      case other
      /// No answer came in time: whether the server is at fault is shown by the next reads.
      case timedOut(FeedFailure)
    }

    mutating func answered() {
      backoff.reset()
      problem = nil
    }

    /// The reads after a poll have brought something. A server that slept over it is failing; any other one has
    /// earned an early poll.
    mutating func broughtEvents(_ jitter: inout Jitter, at now: FeedInstant) {
      defer { endedPoll = nil }
      switch endedPoll {
      case .timedOut(let failure): failed(failure, &jitter, at: now)
      case .announced, .other:
        backoff.reset()
        guard let problem, subscribeNotBefore != nil else { return }
        subscribeNotBefore = now + backoff.next(&jitter, retryAfter: problem.retryAfter)
      case nil: break
      }
    }

    mutating func failed(_ failure: FeedFailure, _ jitter: inout Jitter, at now: FeedInstant) {
      subscription = nil
      problem = failure
      subscribeNotBefore = now + backoff.next(&jitter, retryAfter: failure.retryAfter)
    }
  }

  // MARK: Inputs

  /// OPTIONS has named a server.
  package mutating func subscribed(_ server: RealtimeServer, at now: FeedInstant) -> FeedAction {
    guard case .subscribing = state else { return unexpected("subscribed") }
    pace.spend(at: now)
    realtime.subscription = Realtime.Subscription(server: server, since: now)
    realtime.subscribeNotBefore = nil
    // After the fallback one poll more decides whether it goes on.
    realtime.emptyWakeUps = min(realtime.emptyWakeUps, rules.emptyWakeUpsBeforeFallback - 1)
    return waitForChange(at: now)
  }

  /// OPTIONS has failed: the stream is read at an interval until a server can be had.
  package mutating func subscribeFailed(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    guard case .subscribing = state else { return unexpected("subscribeFailed") }
    pace.spend(at: now)
    realtime.failed(failure, &jitter, at: now)
    return waitForChange(at: now)
  }

  /// The long poll has been answered. Whatever the reply, the stream is read; the reply decides
  /// whether the same server is polled afterwards.
  package mutating func replied(_ reply: RealtimeReply, at now: FeedInstant) -> FeedAction {
    guard case .polling(_, let since) = state else { return unexpected("replied") }
    countWakeUp(since: since, at: now)
    realtime.isBusy = reply == .newChange && now < since + rules.briefPoll
    realtime.endedPoll = reply == .newChange ? .announced : .other
    switch reply {
    case .newChange, .outOfDate: realtime.answered()
    case .reconnect, .maxRetries:
      realtime.answered()
      realtime.subscription = nil
    case .unknown(let what):
      var failure = FeedFailure(.unreadable, "the realtime server answered with \(what)")
      failure.isOfRealtime = true
      realtime.failed(failure, &jitter, at: now)
    }
    return read(at: now)
  }

  /// The long poll has brought no answer, or an error.
  package mutating func pollFailed(_ failure: FeedFailure, at now: FeedInstant) -> FeedAction {
    guard case .polling(let server, let since) = state else { return unexpected("pollFailed") }
    realtime.isBusy = false
    if server.briefly != nil, failure.interruption == .timedOut { return read(at: now) }
    countWakeUp(since: since, at: now)
    realtime.endedPoll = .other
    if now >= since + rules.emptyWakeUpLimit, failure.endsAnIdlePoll {
      realtime.answered()
      if failure.interruption == .timedOut {
        realtime.subscription = nil
        realtime.endedPoll = .timedOut(failure)
      }
    } else {
      realtime.failed(failure, &jitter, at: now)
    }
    return read(at: now)
  }

  // MARK: Transitions

  /// After new events: polls at once for the next ones where they come one after the other. The server answers at once
  /// if there is something after the position, so that the poll asks what a read would; a server that doesn't is found
  /// out by the read that follows.
  mutating func pollBriefly(at now: FeedInstant) -> FeedAction? {
    guard realtime.isBusy, reading.isRecent, realtime.problem == nil, realtime.subscribeNotBefore == nil,
      realtime.briefPolls < rules.briefPolls, let subscription = realtime.subscription,
      !subscription.isUsedUp(at: now)
    else { return nil }
    realtime.briefPolls += 1
    realtime.subscription?.polls += 1
    let server = subscription.server.briefly(rules.briefPoll)
    return enter(.polling(server, since: now), budget: rules.briefPoll + rules.pollGrace, at: now)
  }

  /// The stream is caught up: poll the server in use, ask for one, or wait for the next read.
  mutating func waitForChange(at now: FeedInstant) -> FeedAction {
    guard rules.hasRealtimeServer else { return wait(rules.interval, then: .read, at: now) }
    defer { realtime.endedPoll = nil }
    if case .announced? = realtime.endedPoll, realtime.emptyWakeUps < rules.emptyWakeUpsBeforeWaiting {
      return wait(rules.announcedChangeInterval, then: .read, at: now)
    }
    if realtime.emptyWakeUps >= rules.emptyWakeUpsBeforeFallback, realtime.subscribeNotBefore == nil {
      realtime.subscription = nil
      realtime.subscribeNotBefore = now + rules.fallbackPeriod
      realtime.problem = FeedFailure(
        .unreadable, "the realtime server answers polls early, again and again, with nothing to read",
        hint: "Another server is asked for after 10 minutes.")
      realtime.problem?.isOfRealtime = true
    }
    if let subscribeNotBefore = realtime.subscribeNotBefore, now < subscribeNotBefore {
      return waitWithoutServer(until: subscribeNotBefore, at: now)
    }
    guard let subscription = realtime.subscription, !subscription.isUsedUp(at: now) else {
      return enter(.subscribing, budget: rules.requestBudget, at: now)
    }
    return poll(subscription.server, at: now)
  }

  private mutating func poll(_ server: RealtimeServer, at now: FeedInstant) -> FeedAction {
    if realtime.pollNotBefore == nil, realtime.emptyWakeUps >= rules.emptyWakeUpsBeforeWaiting {
      // 1 to 60 s, growing, with jitter.
      let doublings = min(realtime.emptyWakeUps - rules.emptyWakeUpsBeforeWaiting + 1, 6)
      realtime.pollNotBefore = now + jitter.duration(in: .seconds(1)...(.seconds(min(60, 1 << doublings))))
    }
    if let pollNotBefore = realtime.pollNotBefore, now < pollNotBefore {
      return wait(now.duration(to: pollNotBefore), then: .waitForChange, at: now)
    }
    realtime.pollNotBefore = nil
    realtime.subscription?.polls += 1
    return enter(.polling(server, since: now), budget: server.retryTimeout + rules.pollGrace, at: now)
  }

  /// Until OPTIONS may be tried again, or the next read of the fallback is due.
  private mutating func waitWithoutServer(until: FeedInstant, at now: FeedInstant) -> FeedAction {
    let nextRead = max(now, (reading.lastRead ?? now) + rules.fallbackInterval)
    return nextRead < until
      ? wait(now.duration(to: nextRead), then: .read, at: now)
      : wait(now.duration(to: until), then: .waitForChange, at: now)
  }

  /// A poll that ended soon counts as an empty wake-up until new events come.
  private mutating func countWakeUp(since: FeedInstant, at now: FeedInstant) {
    realtime.emptyWakeUps = now < since + rules.emptyWakeUpLimit ? realtime.emptyWakeUps + 1 : 0
  }
}

extension FeedFailure {
  /// How load balancers and firewalls end a connection on which nothing happens for long.
  fileprivate var endsAnIdlePoll: Bool { interruption != nil || [408, 502, 503, 504].contains(status) }
}
