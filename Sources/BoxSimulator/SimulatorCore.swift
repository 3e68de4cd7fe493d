import NIOCore
import NIOHTTP1
import Synchronization

/// The state with its lock, and the way of a request through it.
final class SimulatorCore: Sendable {
  /// What a connection does with a request.
  enum Outcome: Sendable {
    case deliver(Answer, Fault)
    /// Answered when it is woken, or after `hold`.
    case hold(UInt64, FeedKey, Fault)
  }

  private struct Guarded {
    var state: SimulatorState
    /// Those who wait for a condition: each gets the statistics after every change.
    var observers: Set<AsyncStream<SimulatorStatistics>.Continuation> = []
    var isStopped = false
  }

  let options: SimulatorOptions
  private let guarded: Mutex<Guarded>

  init(options: SimulatorOptions) {
    self.options = options
    guarded = Mutex(Guarded(state: SimulatorState(options: options)))
  }

  /// Changes the state, then answers the polls and informs the observers that this concerns.
  @discardableResult
  func update<Value: Sendable>(_ change: @Sendable (inout SimulatorState) -> Value) -> Value {
    let (value, woken) = guarded.withLock { guarded in
      let value = change(&guarded.state)
      let woken = guarded.state.takeWoken()
      if !guarded.observers.isEmpty {
        let statistics = guarded.state.statistics
        for observer in guarded.observers { observer.yield(statistics) }
      }
      return (value, woken)
    }
    for wake in woken { wake() }
    return value
  }

  /// Returns as soon as the condition holds.
  /// - Throws: `CancellationError` if the task is cancelled or the simulator stopped first.
  func wait(until isMet: (SimulatorStatistics) -> Bool) async throws {
    let (changes, observer) = AsyncStream.makeStream(of: SimulatorStatistics.self)
    guarded.withLock { guarded in
      observer.yield(guarded.state.statistics)
      if guarded.isStopped { observer.finish() } else { guarded.observers.insert(observer) }
    }
    defer { _ = guarded.withLock { $0.observers.remove(observer) } }
    for await statistics in changes where isMet(statistics) { return }
    throw CancellationError()
  }

  /// Ends all waits.
  func stop() {
    guarded.withLock { guarded in
      guarded.isStopped = true
      for observer in guarded.observers { observer.finish() }
    }
  }

  /// Answers a request, or holds it.
  /// - Parameter wake: answers the request if it is held and something new comes.
  func receive(_ request: Request, wake: @escaping Realtime.Wake) -> Outcome {
    guard let endpoint = request.endpoint else { return .deliver(answerElsewhere(request), .none) }
    return update { state in
      state.record(request)
      let fault = state.faults.next(endpoint)
      if fault != .none { state.counts.faults[endpoint, default: 0] += 1 }
      if let answer = fault.replacement(at: endpoint) { return .deliver(answer, fault) }
      if fault.innermost == .expireToken, let token = request.bearerToken { state.tokens.access[token] = nil }
      do throws(Refusal) {
        return switch endpoint {
        case .token: .deliver(try state.token(request), fault)
        case .options: .deliver(try state.realtimeServer(request), fault)
        case .events: .deliver(try state.events(request), fault)
        case .poll: try state.poll(request, fault: fault, wake: wake)
        }
      } catch {
        return .deliver(error.answer, fault)
      }
    }
  }

  private func answerElsewhere(_ request: Request) -> Answer {
    if request.path.hasPrefix("/control/") { return control(request) }
    if request.path == "/api/oauth2/authorize" { return update { $0.authorize(request) } }
    update { $0.record(request) }
    if request.method == .GET, request.path == "/2.0/users/me" { return update { $0.user(request) } }
    if ["/2.0/events", "/oauth2/token", "/subscribe"].contains(request.path) {
      return .refusal(405, "method_not_allowed", "Method Not Allowed")
    }
    return .refusal(404, "not_found", "Not Found")
  }
}
