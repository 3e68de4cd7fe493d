/// Counts of durations in fixed buckets, as Prometheus wants them.
package struct Histogram: Hashable, Sendable {
  /// Upper bounds in seconds: from a fast disk to a long poll.
  package static let bounds: [Double] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900,
  ]

  /// One count a bound, not cumulative, and a last one for everything above.
  package private(set) var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
  package private(set) var sum: Double = 0

  package init() {}

  package var count: UInt64 { counts.reduce(0, +) }

  package mutating func record(_ seconds: Double) {
    guard seconds.isFinite, seconds >= 0 else { return }
    counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
    sum += seconds
  }

  package mutating func record(_ duration: Duration) {
    record(duration / .seconds(1))
  }
}
