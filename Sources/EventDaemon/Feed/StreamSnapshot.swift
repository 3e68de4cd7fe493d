import BoxEvents

/// One stream at one moment: everything `status` and the metrics show of it.
package struct StreamSnapshot: Sendable {
  package var name: String
  package var state: StreamState
  /// Digits, `now` or `0`; nil before the first position is known.
  package var position: String?
  /// Events spooled since the stream began: the ordinal of the next one.
  package var eventsTotal: UInt64 = 0
  /// Since the start of the process, like all counts that follow except `gapsTotal`.
  package var duplicatesTotal: UInt64 = 0
  /// Gaps recorded since the stream began.
  package var gapsTotal: UInt64 = 0
  package var bytesTotal: UInt64 = 0
  package var quarantinedTotal: UInt64 = 0
  /// Lookbacks for events that Box has shown late, and how many of those were found.
  package var lookbacksTotal: UInt64 = 0
  package var lateTotal: UInt64 = 0
  /// Local times, seconds since 1970.
  package var lastEventAt: Double?
  package var lastCommitAt: Double?
  /// How long ago, by Box's clock, the stream was last known to be complete.
  package var positionAge: Duration?
  package var retentionLeft: Duration?
  /// What is wrong and what to do, in one line; nil when nothing is wrong.
  package var error: String?
  /// Every stage is inside its deadline.
  package var isTimely: Bool = true
  package var requests: [RequestKey: UInt64] = [:]
  package var requestSeconds: Histogram = Histogram()
  package var commitSeconds: Histogram = Histogram()
  /// From an event's `created_at` to durable.
  package var deliveryDelaySeconds: Histogram = Histogram()

  /// What calls to Box are counted by.
  package struct RequestKey: Hashable, Sendable {
    /// `events`, `options`, `poll`, `token`.
    package var endpoint: String
    /// The HTTP status, or a failure's code: `200`, `unreachable`.
    package var code: String

    package init(endpoint: String, code: String) {
      self.endpoint = endpoint
      self.code = code
    }
  }

  package init(name: String, state: StreamState) {
    self.name = name
    self.state = state
  }
}

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

  package mutating func record(_ duration: Duration) { record(duration / .seconds(1)) }
}
