import NIOCore
import Synchronization

/// Lets a limited number of calls run at once. The others wait for their turn, first come, first served.
///
/// The HTTP library has a queue for connections, but counts the wait there as time for connecting: when a thousand
/// streams start together at a slow Box, most of them would fail, again and again.
final class CallGate: Sendable {
  private struct State {
    var free: Int
    /// In the order of their coming; one whose task was cancelled is in here but not in `waiting`.
    var order = CircularBuffer<Int>()
    var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    var nextWaiter = 0
  }

  private enum Place {
    case runs
    case waits(Int, rounds: Int)
  }

  private let limit: Int
  private let state: Mutex<State>

  /// - Parameter limit: calls at once, 1 or more.
  init(limit: Int) {
    self.limit = limit
    state = Mutex(State(free: limit))
  }

  /// Returns true when the call may run; ``leave()`` must follow. Returns false if the task was cancelled before.
  /// - Parameter onQueued: called if the call must wait, with how many times as many calls as may run at once have to
  ///   end before.
  func enter(onQueued: (_ rounds: Int) -> Void) async -> Bool {
    let place: Place = state.withLock { state in
      if state.free > 0 {
        state.free -= 1
        return .runs
      }
      state.nextWaiter += 1
      return .waits(state.nextWaiter, rounds: 1 + state.waiting.count / limit)
    }
    guard case .waits(let waiter, let rounds) = place else { return true }
    onQueued(rounds)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue(waiter, continuation)
        if Task.isCancelled { withdraw(waiter) }
      }
    } onCancel: {
      withdraw(waiter)
    }
  }

  /// The call has ended: the next one's turn has come.
  func leave() {
    let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
      while let waiter = state.order.popFirst() {
        if let next = state.waiting.removeValue(forKey: waiter) { return next }
      }
      state.free += 1
      return nil
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
      state.order.append(waiter)
      state.waiting[waiter] = continuation
      return false
    }
    if runs { continuation.resume(returning: true) }
  }

  private func withdraw(_ waiter: Int) {
    state.withLock { $0.waiting.removeValue(forKey: waiter) }?.resume(returning: false)
  }
}
