import BoxEvents
import Synchronization

/// Ends a stream's wait early: an operator, a reload or a sign-in may have changed what was wrong.
final class RetryTrigger: Sendable {
  private struct State {
    var isPulled = false
    var sleep: Task<Void, Never>?
  }

  private let state = Mutex(State())

  /// The wait under way, or else the next one, ends at once.
  func pull() {
    state.withLock { state in
      state.isPulled = true
      state.sleep?.cancel()
    }
  }

  /// Returns at the instant, when the trigger is pulled, or when the task is cancelled.
  /// - Returns: whether it was pulled.
  func sleep(until instant: FeedInstant, _ clock: some FeedClock) async -> Bool {
    // Only this task is cancelled by a pull, never the stream's.
    let sleep = Task { _ = try? await clock.sleep(until: instant) }
    state.withLock { state in
      state.sleep = sleep
      if state.isPulled { sleep.cancel() }
    }
    await withTaskCancellationHandler {
      await sleep.value
    } onCancel: {
      sleep.cancel()
    }
    return state.withLock { state in
      defer { state = State() }
      return state.isPulled
    }
  }
}
