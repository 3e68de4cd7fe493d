import BoxEvents
import Systemd

/// One stream at work: asks the machine, does the I/O, reports the result to the machine.
///
/// A value for one run, owned by one task, so neither the machine nor the report needs a lock. A cancelled task
/// ends a read or a poll at once; a commit is finished. Between two calls of the network all work is done in one visit
/// to the store's thread.
struct FeedDriver<Source: EventSource, Store: EventStore, Clock: FeedClock>: Sendable {
  private let source: Source
  private let store: Store
  private let clock: Clock
  private let rules: FeedRules
  private let start: ReadPosition
  private let trigger: RetryTrigger
  private var machine: FeedStateMachine
  private var report: FeedReport
  /// The store had free space when it was last asked.
  private var hasSpace = false

  /// - Parameters:
  ///   - start: where a stream begins that has never run.
  ///   - seed: of the waits' jitter.
  ///   - trigger: ends a wait early.
  init(
    source: Source, store: Store, clock: Clock, rules: FeedRules, start: ReadPosition, seed: UInt64,
    trigger: RetryTrigger = RetryTrigger(), report: FeedReport
  ) {
    self.source = source
    self.store = store
    self.clock = clock
    self.rules = rules
    self.start = start
    self.trigger = trigger
    self.report = report
    machine = FeedStateMachine(rules: rules, at: clock.now, seed: seed) { input in
      report.unexpected(input)
      assertionFailure("\(input)")
    }
  }

  /// Runs until the task is cancelled, and then saves the position.
  /// - Throws: what the store can't go on from. A source's failures never end the stream.
  mutating func run() async throws(StoreFailure) {
    guard let recovery = try await recover() else { return }
    report.recovered(recovery)
    var action = machine.start(
      from: recovery.checkpoint?.position ?? start, saved: recovery.checkpoint, at: clock.now)
    while !Task.isCancelled {
      report.observe(machine, at: clock.now)
      action = try await perform(action)
    }
    report.stopping(until: clock.now + rules.commitBudget)
    if let checkpoint = machine.unsavedCheckpoint { try await saveLast(checkpoint) }
    await store.close()
    report.stopped()
  }

  /// A full disk is no failure here: the next start reads from the position before, and knows those events.
  @inline(never)
  private func saveLast(_ checkpoint: Checkpoint) async throws(StoreFailure) {
    do throws(StoreFailure) {
      try await store.save(checkpoint)
    } catch {
      guard error.code == .noSpace else { throw error }
    }
  }

  /// Recovers the store, waiting while the disk is full; nil if the task was cancelled in the meantime.
  @inline(never)
  private mutating func recover() async throws(StoreFailure) -> Recovery? {
    while !Task.isCancelled {
      report.recovering(until: clock.now + rules.requestBudget)
      do throws(StoreFailure) {
        return try await store.recover()
      } catch {
        guard error.code == .noSpace else { throw error }
        report.paused(error, until: clock.now + rules.diskFullInterval)
        try? await clock.sleep(until: clock.now + rules.diskFullInterval)
      }
    }
    return nil
  }

  // MARK: Actions, none inlined: a polling stream holds the frames of what it does, and of nothing else

  /// Does one action, and what follows from it in the store; returns the next.
  @inline(never)
  private mutating func perform(_ action: FeedAction) async throws(StoreFailure) -> FeedAction {
    switch action {
    case .read(let request): try await read(request)
    case .begin, .commit, .save, .record: try await update(store, with: action)
    case .subscribe: await subscribe()
    case .poll(let server, let position): await poll(server, from: position)
    case .wait(let until):
      // A cancelled sleep ends the loop of `run`.
      waited(isPulled: await trigger.sleep(until: until, clock))
    }
  }

  @inline(never)
  private mutating func read(_ request: ReadRequest) async throws(StoreFailure) -> FeedAction {
    // While the disk is full nothing is read that couldn't be stored.
    if !hasSpace {
      do throws(StoreFailure) { try await store.requireFreeSpace() } catch { return try paused(by: error) }
    }
    let answer: PageAnswer
    do throws(FeedFailure) { answer = try await source.read(request) } catch { return readFailed(error) }
    return try await take(answer, to: request, in: store)
  }

  // MARK: In the store

  /// What there is to do for a page.
  @inline(never)
  private mutating func take(
    _ answer: PageAnswer, to request: ReadRequest, in store: isolated Store
  ) async throws(StoreFailure) -> FeedAction {
    let batch: EventBatch
    do throws(StoreFailure) {
      // Reading stops before the disk is full, so that a page that was read can be stored.
      try await store.requireFreeSpace()
      hasSpace = true
      let page: EventPage
      do throws(FeedFailure) { page = try Self.page(answer, request) } catch { return readFailed(error) }
      batch = try await store.deduplicate(page, readFrom: request.position)
    } catch {
      return try paused(by: error)
    }
    let next = pageRead(batch, date: answer.date)
    guard next.isOfStore, !Task.isCancelled else { return next }
    report.observe(machine, at: clock.now)
    return try await update(store, with: next)
  }

  /// Does this action, and those of the store that follow it.
  @inline(never)
  private mutating func update(
    _ store: isolated Store, with first: FeedAction
  ) async throws(StoreFailure) -> FeedAction {
    var action = first
    while true {
      action = try await updateOnce(store, with: action)
      guard action.isOfStore, !Task.isCancelled else { return action }
      report.observe(machine, at: clock.now)
    }
  }

  @inline(never)
  private mutating func updateOnce(
    _ store: isolated Store, with action: FeedAction
  ) async throws(StoreFailure) -> FeedAction {
    do throws(StoreFailure) {
      switch action {
      case .begin(let checkpoint): try await store.begin(at: checkpoint)
      case .commit(let batch, let checkpoint):
        let began = clock.now
        let committed = try await store.commit(batch, at: checkpoint)
        self.committed(batch, committed, since: began)
      case .save(let checkpoint): try await store.save(checkpoint)
      case .record(let gap):
        try await store.record(gap)
        report.recorded(gap)
      case .read, .subscribe, .poll, .wait: return action
      }
      return stored()
    } catch {
      return try paused(by: error)
    }
  }

  // MARK: In the network

  @inline(never)
  private mutating func subscribe() async -> FeedAction {
    do { return subscribed(try await source.subscribe()) } catch { return subscribeFailed(error) }
  }

  @inline(never)
  private mutating func poll(_ server: RealtimeServer, from position: ReadPosition) async -> FeedAction {
    do { return replied(try await source.poll(server, from: position)) } catch { return pollFailed(error) }
  }

  // MARK: What follows a wait, kept out of the async frames

  @inline(never)
  private mutating func stored() -> FeedAction { machine.stored(at: clock.now) }

  @inline(never)
  private mutating func committed(_ batch: EventBatch, _ committed: Committed, since began: FeedInstant) {
    report.committed(batch, committed, took: began.duration(to: clock.now))
    if let caughtUpAt = machine.lookbackCaughtUpAt { report.lookbackFound(batch, caughtUpAt: caughtUpAt) }
  }

  /// A full disk is waited for; nothing else is.
  @inline(never)
  private mutating func paused(by failure: StoreFailure) throws(StoreFailure) -> FeedAction {
    guard failure.code == .noSpace else { throw failure }
    hasSpace = false
    return machine.diskFull(failure, at: clock.now)
  }

  @inline(never)
  private mutating func waited(isPulled: Bool) -> FeedAction {
    isPulled ? machine.retry(at: clock.now) : machine.woke(at: clock.now)
  }

  @inline(never)
  private static func page(_ answer: PageAnswer, _ request: ReadRequest) throws(FeedFailure) -> EventPage {
    do throws(EventPage.Unreadable) {
      return try EventPage(parsing: answer.body, limit: request.limit)
    } catch {
      throw FeedFailure(
        error.isForeign ? .unreadable : .malformedPage,
        "Box's answer is not a page of events: \(error.message)",
        hint: error.hint ?? (error.isForeign ? "Check api_url in [box]. \(FeedFailure.foreignHint)" : nil),
        requestID: answer.requestID)
    }
  }

  @inline(never)
  private mutating func readFailed(_ failure: FeedFailure) -> FeedAction {
    report.failed(failure, at: clock.now)
    return machine.readFailed(failure, at: clock.now)
  }

  @inline(never)
  private mutating func pageRead(_ batch: EventBatch, date: BoxTime?) -> FeedAction {
    let outcome = PageOutcome(batch, date: date)
    report.deduplicated(batch)
    if let failure = outcome.failure(readFrom: batch.readFrom) { report.failed(failure, at: clock.now) }
    return machine.pageRead(outcome, at: clock.now)
  }

  @inline(never)
  private mutating func subscribed(_ server: RealtimeServer) -> FeedAction {
    machine.subscribed(server, at: clock.now)
  }

  @inline(never)
  private mutating func subscribeFailed(_ failure: FeedFailure) -> FeedAction {
    report.failed(failure, at: clock.now)
    return machine.subscribeFailed(failure, at: clock.now)
  }

  @inline(never)
  private mutating func replied(_ reply: RealtimeReply) -> FeedAction {
    let next = machine.replied(reply, at: clock.now)
    // An unknown reply counts as a failed poll; the machine holds the failure.
    if case .unknown = reply, let problem = machine.problem { report.failed(problem, at: clock.now) }
    return next
  }

  @inline(never)
  private mutating func pollFailed(_ failure: FeedFailure) -> FeedAction {
    let next = machine.pollFailed(failure, at: clock.now)
    // The end of an idle poll is no problem.
    if machine.problem == failure { report.failed(failure, at: clock.now) }
    return next
  }
}

extension FeedAction {
  /// Whether the store does it.
  fileprivate var isOfStore: Bool {
    switch self {
    case .begin, .commit, .save, .record: true
    case .read, .subscribe, .poll, .wait: false
    }
  }
}

/// The driver's clock, so that tests can move time by hand.
protocol FeedClock: Sendable {
  var now: FeedInstant { get }
  /// Returns at `instant`, or throws `CancellationError` sooner.
  func sleep(until instant: FeedInstant) async throws
}

/// CLOCK_MONOTONIC: never set, never jumping, stopped while the machine is suspended.
struct MonotonicFeedClock: FeedClock {
  var now: FeedInstant { FeedInstant(sinceOrigin: MonotonicClock.now) }

  func sleep(until instant: FeedInstant) async throws {
    // The runtime's name for the same clock.
    try await Task.sleep(for: now.duration(to: instant), clock: SuspendingClock())
  }
}
