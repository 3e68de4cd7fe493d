import Glibc

/// Time since the machine started, without the time it was suspended: the clock systemd itself keeps
/// its watchdog by.
///
/// A person who sets the wall clock doesn't move it, and a laptop's night asleep doesn't count as
/// a missed deadline.
public struct MonotonicClock: Clock, Sendable {
  public struct Instant: InstantProtocol, Hashable, Sendable {
    /// Since the start of the machine, as `CLOCK_MONOTONIC` counts.
    public var sinceBoot: Duration

    public init(sinceBoot: Duration) {
      self.sinceBoot = sinceBoot
    }

    /// As `MONOTONIC_USEC=` wants it. See sd_notify(3).
    public var microseconds: Int64 { sinceBoot.wholeMicroseconds }

    public func advanced(by duration: Duration) -> Instant {
      Instant(sinceBoot: sinceBoot + duration)
    }

    public func duration(to other: Instant) -> Duration {
      other.sinceBoot - sinceBoot
    }

    public static func < (lhs: Instant, rhs: Instant) -> Bool {
      lhs.sinceBoot < rhs.sinceBoot
    }
  }

  public init() {}

  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  public var now: Instant { Self.now }

  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  public static var now: Instant {
    var time = timespec()
    // Fails only for an unknown clock or a bad pointer, neither of which is possible here.
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(sinceBoot: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
  }

  public var minimumResolution: Duration { .nanoseconds(1) }

  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    // `SuspendingClock` is the runtime's name for the same clock.
    try await Task.sleep(for: now.duration(to: deadline), tolerance: tolerance, clock: SuspendingClock())
  }
}

extension Duration {
  /// Whole microseconds, rounded towards zero, held at the ends of `Int64`.
  var wholeMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let (micros, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, sumOverflow) = micros.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return sumOverflow ? (seconds < 0 ? .min : .max) : sum
  }
}
