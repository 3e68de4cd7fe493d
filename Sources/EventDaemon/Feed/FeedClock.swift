import BoxEvents
import Systemd

/// The time as the driver sees it, so that tests can move it by hand.
protocol FeedClock: Sendable {
  var now: FeedInstant { get }
  /// Returns at `instant`, or throws `CancellationError` sooner.
  func sleep(until instant: FeedInstant) async throws
}

/// CLOCK_MONOTONIC: never set, never jumping, standing still while the machine is suspended.
struct MonotonicFeedClock: FeedClock {
  init() {}

  var now: FeedInstant { FeedInstant(sinceOrigin: MonotonicClock.now.sinceBoot) }

  func sleep(until instant: FeedInstant) async throws {
    try await MonotonicClock().sleep(until: .init(sinceBoot: instant.sinceOrigin))
  }
}
