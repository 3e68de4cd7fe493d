import BoxEvents
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

/// A gate with a budget, and a clock that only the test moves.
@Suite(.timeLimit(.minutes(5))) struct CallGateTests {
  private let clock = HeldClock()

  private func budget(_ callsPerMinute: Int) -> CallBudget {
    CallBudget(callsPerMinute: callsPerMinute, clock: clock.clock)
  }

  /// Enters in a task of its own, and returns when it waits.
  private func queued(
    _ budget: CallBudget, _ place: Int, onTurn: @escaping @Sendable () -> Void = {}
  ) async -> Task<Bool, Never> {
    let task = Task {
      let mayRun = await budget.enter(onQueued: { _ in })
      if mayRun { onTurn() }
      return mayRun
    }
    while budget.waiting < place, !Task.isCancelled { await Task.yield() }
    return task
  }

  @Test func firstComeFirstServed() async {
    let budget = budget(10)
    // A tenth, and one.
    for _ in 0..<2 {
      #expect(await budget.enter(onQueued: { _ in Issue.record("there are turns") }))
    }
    let turns = Shared<[Int]>([])
    var tasks: [Task<Bool, Never>] = []
    for number in 1...5 {
      tasks.append(
        await queued(budget, number) { turns.value.withLock { $0.append(number) } })
    }
    for (index, task) in tasks.enumerated() {
      #expect(turns.value.withLock { $0 } == Array(1...5).prefix(index) + [])
      #expect(budget.waiting == 5 - index)
      await clock.passNextSleep()
      #expect(await task.value)
    }
    #expect(clock.passed >= budget.interval * 5)
    #expect(clock.passed < budget.interval * 6)
  }

  @Test func tellsHowLongTheWaitIs() async {
    let budget = budget(1)
    #expect(await budget.enter(onQueued: { _ in Issue.record("there is a turn") }))
    let waits = Shared<[Duration]>([])
    let tasks = (0..<3).map { number in
      Task {
        while budget.waiting < number, !Task.isCancelled { await Task.yield() }
        return await budget.enter(onQueued: { wait in waits.value.withLock { $0.append(wait) } })
      }
    }
    while budget.waiting < 3, !Task.isCancelled { await Task.yield() }
    #expect(waits.value.withLock { $0 } == [.seconds(60), .seconds(120), .seconds(180)])
    for task in tasks {
      await clock.passNextSleep()
      #expect(await task.value)
    }
    #expect(clock.passed == .seconds(180))
  }

  @Test func aCancelledCallLeavesItsTurnToTheNext() async {
    let budget = budget(1)
    #expect(await budget.enter(onQueued: { _ in }))
    let first = await queued(budget, 1)
    let second = await queued(budget, 2)
    first.cancel()
    #expect(await !first.value)
    #expect(budget.waiting == 1)
    #expect(clock.passed == .zero)
    await clock.passNextSleep()
    #expect(await second.value)
    #expect(clock.passed == .seconds(60))
  }

  /// The queue is served again by whoever comes next.
  @Test func aQueueThatAllHaveLeftBeginsAnew() async {
    let budget = budget(1)
    #expect(await budget.enter(onQueued: { _ in }))
    let left = await queued(budget, 1)
    await clock.waitForSleep()
    left.cancel()
    #expect(await !left.value)
    await clock.passNextSleep()
    // Unused, the turn is still there.
    #expect(await budget.enter(onQueued: { _ in Issue.record("there is a turn") }))
    let next = await queued(budget, 1)
    await clock.passNextSleep()
    #expect(await next.value)
    #expect(clock.passed == .seconds(120))
  }

  @Test func aTaskThatIsCancelledAlreadyTakesNoTurn() async {
    let budget = budget(1)
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return await budget.enter(onQueued: { _ in Issue.record("queued") })
    }
    task.cancel()
    #expect(await !task.value)
    #expect(await budget.enter(onQueued: { _ in Issue.record("a turn is lost") }))
  }

  /// Who waits for the budget has a place among the calls that run, and gives it back.
  @Test func aPlaceIsFreeAgain() async throws {
    let budget = budget(1)
    let gate = CallGate(limit: 1, budget: budget)
    #expect(await gate.enter(onQueued: { _, _ in Issue.record("all is free") }))
    gate.leave()
    let stages = Shared<[String]>([])
    @Sendable func enter() async -> Bool {
      await gate.enter { rounds, wait in stages.value.withLock { $0.append("\(rounds) \(wait)") } }
    }
    let first = Task { await enter() }
    while budget.waiting < 1, !Task.isCancelled { await Task.yield() }
    let second = Task { await enter() }
    while gate.waiting < 1, !Task.isCancelled { await Task.yield() }
    first.cancel()
    #expect(await !first.value)
    try #require(gate.waiting == 0)
    while budget.waiting < 1, !Task.isCancelled { await Task.yield() }
    await clock.passNextSleep()
    #expect(await second.value)
    #expect(
      stages.value.withLock { $0 } == ["0 60.0 seconds", "1 120.0 seconds", "0 60.0 seconds"])
  }

  /// Two gates share a budget: a call of one waits for few of the other, however many wait there.
  @Test func gatesShareABudget() async {
    let budget = budget(1)
    let (api, signIn) = (CallGate(limit: 2, budget: budget), CallGate(limit: 2, budget: budget))
    #expect(await api.enter(onQueued: { _, _ in }))
    api.leave()
    let turns = Shared<[String]>([])
    @Sendable func run(_ gate: CallGate, _ name: String) async {
      guard await gate.enter(onQueued: { _, _ in }) else { return }
      turns.value.withLock { $0.append(name) }
      gate.leave()
    }
    await withTaskGroup { group in
      for waiting in 1...10 {
        group.addTask { await run(api, "api") }
        while api.waiting + budget.waiting < waiting, !Task.isCancelled { await Task.yield() }
      }
      group.addTask { await run(signIn, "sign-in") }
      while budget.waiting < 3, !Task.isCancelled { await Task.yield() }
      for turn in 1...11 {
        await clock.passNextSleep()
        while turns.value.withLock({ $0.count }) < turn, !Task.isCancelled { await Task.yield() }
        // The place of the one that ran is taken by the next, before the next turn comes.
        while budget.waiting < min(2, 11 - turn), !Task.isCancelled { await Task.yield() }
      }
    }
    #expect(turns.value.withLock { $0 }.firstIndex(of: "sign-in") == 2)
    #expect(turns.value.withLock { $0.count } == 11)
  }

  /// Thousands come and go in any order; each sleep moves the clock.
  @Test func noTurnIsLostOrMadeUp() async {
    let time = ManualTime()
    let budget = CallBudget(callsPerMinute: 600, clock: time.clock)
    let gate = CallGate(limit: 4, budget: budget)
    let runs = Shared(0)
    let start = time.clock.now()
    await withTaskGroup { group in
      for number in 0..<2_000 {
        let task = Task {
          guard await gate.enter(onQueued: { _, _ in }) else { return }
          runs.value.withLock { $0 += 1 }
          gate.leave()
        }
        if number % 3 == 0 { group.addTask { task.cancel() } }
        group.addTask { await task.value }
      }
    }
    let count = runs.value.withLock { $0 }
    #expect(count >= 1_333)
    #expect(time.clock.now() - start >= budget.interval * (count - 61))
    #expect(budget.waiting == 0 && gate.waiting == 0)
  }

  /// All calls but long polls, those to sign in too. A stop is never delayed.
  @Test func aTransportHoldsBackAllButPolls() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(200, #"{"message":"new_change"}"#)
    } _: { server in
      try await withTransport {
        $0.callsPerMinute = 1
      } _: { transport in
        let url = try webURL(server.origin + "/")
        _ = try await transport.send(HTTPCall(.events, url))
        let tasks = [HTTPCall.Endpoint.events, .options, .token, .user].map { endpoint in
          Task {
            await failure { () throws(FeedFailure) in try await transport.send(HTTPCall(endpoint, url)) }
          }
        }
        while transport.waitingCalls + server.requests.count < 5, !Task.isCancelled { await Task.yield() }
        #expect(transport.waitingCalls == 4)
        let realtime = RealtimeServer(url: Secret(server.origin + "/s?channel=c"))
        let reply = try await source(transport, server).poll(realtime, from: .now)
        #expect(reply == .newChange)
        for task in tasks { task.cancel() }
        for task in tasks { #expect(await task.value?.code == .cancelled) }
        #expect(transport.waitingCalls == 0)
        #expect(server.requests.count == 2)
      }
    }
  }
}

/// A clock whose sleeps end only when the test lets them.
private final class HeldClock: Sendable {
  private struct State {
    var now = Duration.zero
    var sleepers: [(end: Duration, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var passed: Duration { state.withLock { $0.now } }

  var clock: AccessTokens.Clock {
    AccessTokens.Clock(
      now: { self.passed },
      sleep: { duration in
        await withCheckedContinuation { continuation in
          self.state.withLock { $0.sleepers.append(($0.now + duration, continuation)) }
        }
      })
  }

  func waitForSleep() async {
    while state.withLock({ $0.sleepers.isEmpty }), !Task.isCancelled { await Task.yield() }
  }

  /// Waits until something sleeps, and moves the time to its end.
  func passNextSleep() async {
    while !Task.isCancelled {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.isEmpty ? nil : state.sleepers.removeFirst()
        if let sleeper { state.now = max(state.now, sleeper.end) }
        return sleeper
      }
      if let sleeper { return sleeper.continuation.resume() }
      await Task.yield()
    }
  }
}
