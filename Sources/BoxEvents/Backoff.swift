/// Exponential back-off with full jitter: each wait is drawn between ``floor`` and a ceiling that
/// doubles with every failure in a row.
///
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

  package mutating func reset() {
    failures = 0
  }

  /// Counts a failure and draws the wait that follows it.
  /// - Parameter retryAfter: what the server asked for; the wait is at least that.
  package mutating func next(_ jitter: inout Jitter, retryAfter: Duration? = nil) -> Duration {
    // 2^20 seconds are above any cap.
    let ceiling = min(cap, base * (1 << min(failures, 20)))
    failures += 1
    return max(jitter.duration(in: Self.floor...ceiling), retryAfter ?? .zero)
  }
}
