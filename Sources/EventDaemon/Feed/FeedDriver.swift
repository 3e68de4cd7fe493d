import BoxEvents

/// One stream at work: asks the machine, does the I/O, tells the machine.
///
/// A value for one run, in one task: the machine is a local variable of ``run()``, so there is no
/// lock and no actor here. A cancelled task ends a read or a poll at once; a commit is finished.
struct FeedDriver<Source: EventSource, Store: EventStore, Clock: FeedClock>: Sendable {
  let source: Source
  let store: Store
  let clock: Clock
  let rules: FeedRules
  /// Where a stream begins that has never run.
  let start: ReadPosition
  let seed: UInt64
  let report: FeedReport

  /// Runs until the task is cancelled, and then saves the position.
  /// - Throws: what the store can't go on from. A source's failures are the machine's business and
  ///   never end the stream.
  func run() async throws(StoreFailure) {
    var machine = FeedStateMachine(rules: rules, at: clock.now, seed: seed)
    var batch: EventBatch?
    guard let recovery = try await recover() else { return }
    report.recovered(recovery)
    var action = machine.start(
      from: recovery.checkpoint?.position ?? start, saved: recovery.checkpoint, at: clock.now)
    while !Task.isCancelled {
      report.observe(machine, at: clock.now)
      action = try await perform(action, &machine, &batch)
    }
    report.stopping(until: clock.now + rules.commitBudget)
    if let checkpoint = machine.unsavedCheckpoint { try await store.save(checkpoint) }
    await store.close()
    report.stopped()
  }

  /// Recovers the store, waiting for room where the disk is full.
  /// - Returns: nil if the task was cancelled in the meantime.
  private func recover() async throws(StoreFailure) -> Recovery? {
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

  /// Does one action and returns the next.
  private func perform(
    _ action: FeedAction, _ machine: inout FeedStateMachine, _ batch: inout EventBatch?
  ) async throws(StoreFailure) -> FeedAction {
    switch action {
    case .read(let request):
      return try await read(request, &machine, &batch)
    case .subscribe:
      return await subscribe(&machine)
    case .poll(let server, let position):
      return await poll(server, from: position, &machine)
    case .wait(let until):
      // A cancelled sleep ends the loop above.
      try? await clock.sleep(until: until)
      return machine.woke(at: clock.now)
    case .begin, .commit, .save, .record:
      return try await store(action, &machine, batch)
    }
  }

  private func read(
    _ request: ReadRequest, _ machine: inout FeedStateMachine, _ batch: inout EventBatch?
  ) async throws(StoreFailure) -> FeedAction {
    guard try await store.hasFreeSpace() else { return diskFull(nil, &machine) }
    let page: EventPage
    let date: BoxTime?
    do throws(FeedFailure) {
      (page, date) = try await fetch(request)
    } catch {
      return failed(error, machine.readFailed(error, at: clock.now))
    }
    let deduplicated: EventBatch
    do throws(StoreFailure) {
      deduplicated = try await store.deduplicate(page, readFrom: request.position)
    } catch {
      guard error.code == .noSpace else { throw error }
      return diskFull(error, &machine)
    }
    report.deduplicated(deduplicated)
    batch = deduplicated
    let outcome = PageOutcome(
      new: deduplicated.new.count + deduplicated.newRejects.count, entries: page.entryCount,
      nextPosition: page.nextPosition, date: date)
    return machine.pageRead(outcome, at: clock.now)
  }

  private func fetch(_ request: ReadRequest) async throws(FeedFailure) -> (EventPage, BoxTime?) {
    let answer = try await source.read(request)
    do throws(EventPage.Unreadable) {
      return (try EventPage(parsing: answer.body), answer.date)
    } catch {
      throw FeedFailure(
        error.isForeign ? .unreadable : .malformedPage,
        "Box's answer is no page of events: \(error.message)", requestID: answer.requestID)
    }
  }

  private func subscribe(_ machine: inout FeedStateMachine) async -> FeedAction {
    do {
      let server = try await source.subscribe()
      return machine.subscribed(server, at: clock.now)
    } catch {
      return failed(error, machine.subscribeFailed(error, at: clock.now))
    }
  }

  private func poll(
    _ server: RealtimeServer, from position: ReadPosition, _ machine: inout FeedStateMachine
  ) async -> FeedAction {
    do {
      let reply = try await source.poll(server, from: position)
      let next = machine.replied(reply, at: clock.now)
      // The machine has made a failure of a reply without meaning.
      if case .unknown = reply, let problem = machine.problem { report.failed(problem) }
      return next
    } catch {
      return failed(error, machine.pollFailed(error, at: clock.now))
    }
  }

  private func failed(_ failure: FeedFailure, _ next: FeedAction) -> FeedAction {
    report.failed(failure)
    return next
  }

  private func store(
    _ action: FeedAction, _ machine: inout FeedStateMachine, _ batch: EventBatch?
  ) async throws(StoreFailure) -> FeedAction {
    let began = clock.now
    do throws(StoreFailure) {
      switch action {
      case .begin(let checkpoint):
        try await store.begin(at: checkpoint)
      case .save(let checkpoint):
        try await store.save(checkpoint)
      case .record(let gap):
        try await store.record(gap)
        report.recorded(gap)
      case .commit(let checkpoint):
        guard let batch else { return machine.stored(at: clock.now) }
        let committed = try await store.commit(batch, at: checkpoint)
        report.committed(batch, committed, took: began.duration(to: clock.now))
        if let caughtUpAt = machine.lookbackCaughtUpAt { report.lookbackFound(batch, caughtUpAt: caughtUpAt) }
      case .read, .subscribe, .poll, .wait:
        break
      }
      return machine.stored(at: clock.now)
    } catch {
      guard error.code == .noSpace else { throw error }
      return diskFull(error, &machine)
    }
  }

  private func diskFull(_ failure: StoreFailure?, _ machine: inout FeedStateMachine) -> FeedAction {
    report.diskFull(failure)
    return machine.diskFull(at: clock.now)
  }
}
