import BoxEvents
import Synchronization

/// The stages of one subject's sign-in, for the streams that wait for it: while its calls wait for their turn, the
/// streams' deadlines move too.
package final class SignInStages: Sendable {
  private struct State {
    /// Nil unless a call waits for its turn.
    var queued: CallStage?
    var observers: [Int: CallObserver] = [:]
    var nextObserver = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// A stage of a call of the sign-in. That it has ended concerns no stream.
  package func observe(_ stage: CallStage) {
    let observers: [CallObserver] = state.withLock { state in
      switch stage {
      case .queued: state.queued = stage
      case .began: state.queued = nil
      case .ended: return []
      }
      return Array(state.observers.values)
    }
    for observer in observers { observer(stage) }
  }

  /// Runs `body`, and calls `observer` at each stage meanwhile, also if the call waits already.
  func observed<Value>(
    by observer: @escaping CallObserver, isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(FeedFailure) -> Value
  ) async throws(FeedFailure) -> Value {
    let (number, queued) = state.withLock { state in
      state.nextObserver += 1
      state.observers[state.nextObserver] = observer
      return (state.nextObserver, state.queued)
    }
    defer { state.withLock { _ = $0.observers.removeValue(forKey: number) } }
    if let queued { observer(queued) }
    return try await body()
  }
}
