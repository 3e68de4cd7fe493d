import NIOCore
import Synchronization

/// The state with its lock, and the way of a request through it.
final class SimulatorCore: Sendable {
  /// What a connection does with a request.
  enum Outcome: Sendable {
    case deliver(Answer, Fault)
    /// Answered when it is woken, or after `hold`.
    case hold(UInt64, FeedKey, Fault)
  }

  private struct Waiter {
    var isMet: @Sendable (SimulatorStatistics) -> Bool
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct Guarded {
    var state: SimulatorState
    var waiters: [Int: Waiter] = [:]
    var lastWaiter = 0
    var isStopped = false

    /// Removes and returns the waiters whose condition holds.
    mutating func takeMet() -> [Waiter] {
      guard !waiters.isEmpty else { return [] }
      let statistics = state.statistics
      let met = waiters.filter { $0.value.isMet(statistics) }
      for id in met.keys { waiters[id] = nil }
      return Array(met.values)
    }
  }

  let options: SimulatorOptions
  private let guarded: Mutex<Guarded>

  init(options: SimulatorOptions) {
    self.options = options
    guarded = Mutex(Guarded(state: SimulatorState(options: options)))
  }

  /// Changes the state, then answers the polls and resumes the waiters that this concerns.
  @discardableResult
  func update<Value: Sendable>(_ change: @Sendable (inout SimulatorState) -> Value) -> Value {
    let (value, woken, met) = guarded.withLock { guarded in
      let value = change(&guarded.state)
      return (value, guarded.state.takeWoken(), guarded.takeMet())
    }
    for poll in woken { poll.wake() }
    for waiter in met { waiter.continuation.resume() }
    return value
  }

  /// Returns as soon as the condition holds.
  /// - Throws: `CancellationError` if the task is cancelled or the simulator stopped first.
  func wait(until isMet: @escaping @Sendable (SimulatorStatistics) -> Bool) async throws {
    let id = guarded.withLock { guarded in
      guarded.lastWaiter += 1
      return guarded.lastWaiter
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        add(Waiter(isMet: isMet, continuation: continuation), id: id)
      }
    } onCancel: {
      let waiter = guarded.withLock { $0.waiters.removeValue(forKey: id) }
      waiter?.continuation.resume(throwing: CancellationError())
    }
  }

  private func add(_ waiter: Waiter, id: Int) {
    let isOver = guarded.withLock { guarded in
      if guarded.isStopped || Task.isCancelled { return true }
      guarded.waiters[id] = waiter
      return false
    }
    if isOver { waiter.continuation.resume(throwing: CancellationError()) }
    update { _ in }
  }

  /// Ends all waits.
  func stop() {
    let waiters = guarded.withLock { guarded in
      guarded.isStopped = true
      defer { guarded.waiters = [:] }
      return Array(guarded.waiters.values)
    }
    for waiter in waiters { waiter.continuation.resume(throwing: CancellationError()) }
  }

  /// Answers a request, or holds it.
  /// - Parameter wake: answers the request if it is held and something new comes.
  func receive(_ request: Request, wake: @escaping @Sendable () -> Void) -> Outcome {
    guard let endpoint = request.endpoint else { return .deliver(answerElsewhere(request), .none) }
    return update { state in
      state.record(request)
      let fault = state.faults.next(endpoint)
      if fault != .none { state.recordFault(endpoint) }
      if let answer = fault.replacement(at: endpoint) { return .deliver(answer, fault) }
      if fault.innermost == .expireToken, let token = request.bearerToken { state.tokens.revoke(token) }
      switch endpoint {
      case .token: return .deliver(state.token(request), fault)
      case .options: return .deliver(state.realtimeServer(request), fault)
      case .events: return .deliver(state.events(request), fault)
      case .poll: return state.poll(request, fault: fault, wake: wake)
      }
    }
  }

  private func answerElsewhere(_ request: Request) -> Answer {
    if request.path.hasPrefix("/control/") { return control(request) }
    if request.path == "/api/oauth2/authorize" { return update { $0.authorize(request) } }
    update { $0.record(request) }
    if ["/2.0/events", "/oauth2/token", "/subscribe"].contains(request.path) {
      return .refusal(405, "method_not_allowed", "Method Not Allowed")
    }
    return .refusal(404, "not_found", "Not Found")
  }
}
