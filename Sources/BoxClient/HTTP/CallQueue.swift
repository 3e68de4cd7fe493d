import NIOCore

/// Calls that wait for their turn, in the order of their coming.
struct CallQueue {
  /// One whose task was cancelled is in here but not in `waiting`.
  private var order = CircularBuffer<Int>()
  private var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
  private var nextWaiter = 0

  var count: Int { waiting.count }

  mutating func newWaiter() -> Int {
    nextWaiter += 1
    return nextWaiter
  }

  mutating func append(_ waiter: Int, _ continuation: CheckedContinuation<Bool, Never>) {
    order.append(waiter)
    waiting[waiter] = continuation
  }

  /// Whose turn is next.
  mutating func popFirst() -> CheckedContinuation<Bool, Never>? {
    while let waiter = order.popFirst() {
      if let next = waiting.removeValue(forKey: waiter) { return next }
    }
    return nil
  }

  /// Nil for one that has had its turn, or isn't in here yet.
  mutating func withdraw(_ waiter: Int) -> CheckedContinuation<Bool, Never>? {
    waiting.removeValue(forKey: waiter)
  }

  /// Returns true when the turn has come, false if the task was cancelled before.
  /// - Parameters:
  ///   - queue: resumes the continuation at once, or appends it.
  ///   - withdraw: resumes one that is waiting.
  static func turn(
    queue: (CheckedContinuation<Bool, Never>) -> Void, withdraw: @escaping @Sendable () -> Void
  ) async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue(continuation)
        if Task.isCancelled { withdraw() }
      }
    } onCancel: {
      withdraw()
    }
  }
}
