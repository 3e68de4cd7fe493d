import BoxEvents
import Synchronization

@testable import EventDaemon

/// A clock that jumps to whatever is waited for: waiting takes no time, and is remembered.
final class ManualClock: FeedClock {
  private let state = Mutex((now: Duration.zero, waits: [Duration]()))

  var now: FeedInstant { FeedInstant(sinceOrigin: state.withLock { $0.now }) }

  /// Every wait so far, in order.
  var waits: [Duration] { state.withLock { $0.waits } }

  func advance(by duration: Duration) {
    state.withLock { $0.now += duration }
  }

  func sleep(until instant: FeedInstant) async throws {
    try Task.checkCancellation()
    state.withLock {
      $0.waits.append(instant.sinceOrigin - $0.now)
      $0.now = max($0.now, instant.sinceOrigin)
    }
    await Task.yield()
  }
}
