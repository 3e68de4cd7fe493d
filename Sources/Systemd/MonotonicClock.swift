import Glibc

/// Time since the machine started, without the time it was suspended: the clock systemd itself keeps
/// its watchdog by.
///
/// Setting the wall clock doesn't move it, and a laptop's night asleep doesn't count as a missed deadline.
package struct MonotonicClock: Clock, Sendable {
  package struct Instant: InstantProtocol, Hashable, Sendable {
    /// Since the start of the machine, as `CLOCK_MONOTONIC` counts.
    package var sinceBoot: Duration

    package init(sinceBoot: Duration) { self.sinceBoot = sinceBoot }

    /// As `MONOTONIC_USEC=` wants it. See sd_notify(3).
    package var microseconds: Int64 { sinceBoot.clampedMicroseconds }

    package func advanced(by duration: Duration) -> Instant {
      Instant(sinceBoot: sinceBoot + duration)
    }

    package func duration(to other: Instant) -> Duration { other.sinceBoot - sinceBoot }

    package static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.sinceBoot < rhs.sinceBoot }
  }

  package init() {}

  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  package var now: Instant { Self.now }

  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  package static var now: Instant {
    var time = timespec()
    // Fails only for an unknown clock or a bad pointer, neither of which is possible here.
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(sinceBoot: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
  }

  package var minimumResolution: Duration { .nanoseconds(1) }

  package func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    // `SuspendingClock` is the runtime's name for the same clock.
    try await Task.sleep(for: now.duration(to: deadline), tolerance: tolerance, clock: SuspendingClock())
  }
}

extension Duration {
  /// Microseconds, rounded towards zero, clamped to `Int64`.
  var clampedMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let (micros, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, sumOverflow) = micros.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return sumOverflow ? (seconds < 0 ? .min : .max) : sum
  }
}
