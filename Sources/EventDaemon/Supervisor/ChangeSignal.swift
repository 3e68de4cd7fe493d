import Synchronization

/// Wakes the one task that waits for a change, of which there may be thousands a second or none for hours.
final class ChangeSignal: Sendable {
  private struct State {
    var isSet = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Something has changed.
  func set() {
    let waiter = state.withLock { state in
      state.isSet = state.waiter == nil
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Returns when something has changed since the last return, or the task is cancelled. For one task at a time.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isSet = state.withLock { state in
          defer { state.isSet = false }
          if !state.isSet, !Task.isCancelled { state.waiter = continuation }
          return state.waiter == nil
        }
        if isSet { continuation.resume() }
      }
    } onCancel: {
      set()
    }
  }
}
