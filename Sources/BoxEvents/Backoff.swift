/// Exponential back-off with full jitter: each wait is drawn between ``floor`` and a ceiling that
/// doubles with every failure in a row.
/// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
package struct Backoff: Hashable, Sendable {
  /// Even a lucky draw leaves the server this long alone.
  package static let floor = Duration.milliseconds(100)

  /// The ceiling of the first wait.
  package let base: Duration
  /// No ceiling is higher.
  package let cap: Duration
  /// Failures in a row.
  package private(set) var failures = 0

  package init(base: Duration = .seconds(1), cap: Duration = .seconds(300)) {
    self.base = base
    self.cap = cap
  }

  package mutating func reset() { failures = 0 }

  /// Counts a failure and draws the wait that follows it.
  /// - Parameter retryAfter: what the server asked for; the wait is at least that.
  package mutating func next(_ jitter: inout Jitter, retryAfter: Duration? = nil) -> Duration {
    // 2^20 seconds are above any cap.
    let ceiling = min(cap, base * (1 << min(failures, 20)))
    failures += 1
    return max(jitter.duration(in: Self.floor...ceiling), retryAfter ?? .zero)
  }
}

/// Random waits from a seed: the same seed, the same waits.
package struct Jitter: Sendable {
  private var random: SplitMix64

  package init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// A duration between the two, to the millisecond.
  mutating func duration(in range: ClosedRange<Duration>) -> Duration {
    let milliseconds = { (duration: Duration) in
      duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
    let (low, high) = (milliseconds(range.lowerBound), milliseconds(range.upperBound))
    return .milliseconds(Int64.random(in: low...max(low, high), using: &random))
  }
}

/// Random numbers that a seed repeats.
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
