import Synchronization

/// A clock that moves only when the test moves it, and reports each sleep.
final class ManualClock: Clock, Sendable {
  typealias Instant = MonotonicInstant

  struct MonotonicInstant: InstantProtocol, Hashable, Sendable {
    var offset: Duration = .zero

    func advanced(by duration: Duration) -> Self { Self(offset: offset + duration) }
    func duration(to other: Self) -> Duration { other.offset - offset }
    static func < (lhs: Self, rhs: Self) -> Bool { lhs.offset < rhs.offset }
  }

  private struct State {
    var now = Instant()
    var sleeper: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)?
  }

  private let state = Mutex(State())
  private let asked = AsyncStream.makeStream(of: Duration.self)

  var now: Instant { state.withLock { $0.now } }
  var minimumResolution: Duration { .nanoseconds(1) }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let pause = now.duration(to: deadline)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        state.withLock { $0.sleeper = (deadline, continuation) }
        if Task.isCancelled { cancel() }
        asked.continuation.yield(pause)
      }
    } onCancel: {
      cancel()
    }
  }

  private func cancel() {
    let sleeper = state.withLock { state in
      defer { state.sleeper = nil }
      return state.sleeper
    }
    sleeper?.continuation.resume(throwing: CancellationError())
  }

  /// Waits for the next sleep, and returns its length.
  func nextSleep() async -> Duration? {
    var iterator = asked.stream.makeAsyncIterator()
    return await iterator.next()
  }

  /// Moves time to the sleeper's deadline and wakes it.
  func wake() {
    let sleeper = state.withLock { state in
      defer { state.sleeper = nil }
      if let deadline = state.sleeper?.deadline { state.now = deadline }
      return state.sleeper
    }
    sleeper?.continuation.resume()
  }
}
