import BoxEvents
import Synchronization

/// Lets a limited number of calls run at once, and where there is a budget, so many a minute. The others wait for
/// their turn, first come, first served.
///
/// The HTTP library has a queue for connections, but counts the wait there as time for connecting: when a thousand
/// streams start together at a slow Box, most of them would fail, again and again.
final class CallGate: Sendable {
  private struct State {
    var free: Int
    var queue = CallQueue()
  }

  private enum Place {
    case runs
    case waits(Int, rounds: Int)
  }

  private let limit: Int
  private let budget: CallBudget?
  private let state: Mutex<State>

  /// - Parameters:
  ///   - limit: calls at once, 1 or more.
  ///   - budget: shared with other gates.
  init(limit: Int, budget: CallBudget? = nil) {
    self.limit = limit
    self.budget = budget
    state = Mutex(State(free: limit))
  }

  /// Calls that wait for others to end; those that wait for the budget are counted there.
  var waiting: Int { state.withLock { $0.queue.count } }

  /// Returns true when the call may run; ``leave()`` must follow. Returns false if the task was cancelled before.
  ///
  /// Whoever waits for the budget has a place among those that run: so no turn of it is saved up by a slow Box, and a
  /// call of one gate waits for few of another.
  /// - Parameter onQueued: called each time the call must wait, with how many times as many calls as may run at once
  ///   have to end before, and how long the budget may hold them up.
  func enter(onQueued: (_ rounds: Int, _ wait: Duration) -> Void) async -> Bool {
    guard await enterRunning(onQueued: onQueued) else { return false }
    guard let budget else { return true }
    if await budget.enter(onQueued: { onQueued(0, $0) }) { return true }
    leave()
    return false
  }

  private func enterRunning(onQueued: (_ rounds: Int, _ wait: Duration) -> Void) async -> Bool {
    let place: Place = state.withLock { state in
      if state.free > 0 {
        state.free -= 1
        return .runs
      }
      return .waits(state.queue.newWaiter(), rounds: 1 + state.queue.count / limit)
    }
    guard case .waits(let waiter, let rounds) = place else { return true }
    // Two gates share the budget: in each round every call of both may have to wait for it.
    onQueued(rounds, budget.map { $0.interval * (2 * limit * rounds) } ?? .zero)
    return await CallQueue.turn {
      queue(waiter, $0)
    } withdraw: { [self] in
      state.withLock { $0.queue.withdraw(waiter) }?.resume(returning: false)
    }
  }

  /// The call has ended: the next one's turn has come.
  func leave() {
    let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
      let next = state.queue.popFirst()
      if next == nil { state.free += 1 }
      return next
    }
    next?.resume(returning: true)
  }

  private func queue(_ waiter: Int, _ continuation: CheckedContinuation<Bool, Never>) {
    let runs = state.withLock { state in
      // A call may have ended in the meantime.
      if state.free > 0 {
        state.free -= 1
        return true
      }
      state.queue.append(waiter, continuation)
      return false
    }
    if runs { continuation.resume(returning: true) }
  }
}

/// The calls a minute that all streams of the process share; `calls_per_minute`.
final class CallBudget: Sendable {
  private struct State {
    var pace: Pace
    var queue = CallQueue()
    /// A task serves the queue until it is empty.
    var isServed = false

    /// Takes a turn if there is one.
    mutating func take(at now: FeedInstant) -> Bool {
      if let next = pace.next, now < next { return false }
      pace.spend(at: now)
      return true
    }
  }

  let interval: Duration
  private let clock: AccessTokens.Clock
  private let state: Mutex<State>

  init(callsPerMinute: Int, clock: AccessTokens.Clock = .continuous) {
    let pace = Pace(perMinute: callsPerMinute)
    interval = pace.interval
    self.clock = clock
    state = Mutex(State(pace: pace))
  }

  var waiting: Int { state.withLock { $0.queue.count } }

  /// Returns true when the call may be sent, false if the task was cancelled before: then its turn is the next one's.
  /// - Parameter onQueued: called if the call must wait, with how long.
  func enter(onQueued: (_ wait: Duration) -> Void) async -> Bool {
    if Task.isCancelled { return false }
    let place: (waiter: Int, wait: Duration)? = state.withLock { state in
      let now = now
      if state.queue.count == 0, state.take(at: now) { return nil }
      return (state.queue.newWaiter(), state.pace.wait(ahead: state.queue.count, at: now))
    }
    guard let (waiter, wait) = place else { return true }
    onQueued(wait)
    return await CallQueue.turn {
      queue(waiter, $0)
    } withdraw: { [self] in
      state.withLock { $0.queue.withdraw(waiter) }?.resume(returning: false)
    }
  }

  private var now: FeedInstant { FeedInstant(sinceOrigin: clock.now()) }

  /// The task that serves the queue takes the first, which may be this one, as soon as there is a turn.
  private func queue(_ waiter: Int, _ continuation: CheckedContinuation<Bool, Never>) {
    let isServed = state.withLock { state in
      defer { state.isServed = true }
      state.queue.append(waiter, continuation)
      return state.isServed
    }
    // Not a child of the caller's task: others wait for it too. It ends by itself, at the latest with the next turn.
    if !isServed { Task { await serve() } }
  }

  private func serve() async {
    while let wait = serveOnce() { try? await clock.sleep(wait) }
  }

  /// Gives the turns that there are to those that have waited longest.
  /// - Returns: how long until the next turn; nil if none waits any more.
  private func serveOnce() -> Duration? {
    var runs: [CheckedContinuation<Bool, Never>] = []
    defer { for next in runs { next.resume(returning: true) } }
    return state.withLock { state in
      let now = now
      while state.queue.count > 0 {
        guard state.take(at: now) else { return state.pace.wait(ahead: 0, at: now) }
        if let next = state.queue.popFirst() { runs.append(next) }
      }
      state.isServed = false
      return nil
    }
  }
}
