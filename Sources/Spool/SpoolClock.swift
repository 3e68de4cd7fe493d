import Glibc

/// The two clocks the spool looks at, as closures so that a test can hold them.
package struct SpoolClock: Sendable {
  /// Local time, seconds since 1970: for the text of records, and the age of segments.
  package var wallSeconds: @Sendable () -> Int64
  /// Time that only goes forward, from any start: for distances inside a run.
  package var monotonic: @Sendable () -> Duration

  package init(
    wallSeconds: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> Duration
  ) {
    self.wallSeconds = wallSeconds
    self.monotonic = monotonic
  }

  package static let system = SpoolClock(
    wallSeconds: { Int64(time(nil)) },
    monotonic: {
      var now = timespec()
      clock_gettime(CLOCK_MONOTONIC, &now)
      return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
    })
}
