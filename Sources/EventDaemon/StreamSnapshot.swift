import BoxEvents

/// One stream at one moment: everything `status` and the metrics say about it.
package struct StreamSnapshot: Sendable {
  package var name: String
  package var state: StreamState
  /// Digits, `now` or `0`; nil before the first position is known.
  package var position: String?
  /// Events this stream has spooled in its life: the ordinal of the next one.
  package var eventsTotal: UInt64 = 0
  /// The rest counts from the start of the process.
  package var duplicatesTotal: UInt64 = 0
  package var gapsTotal: UInt64 = 0
  package var bytesTotal: UInt64 = 0
  package var quarantinedTotal: UInt64 = 0
  /// Looks back for events that Box has shown late, and how many of those were found.
  package var lookbacksTotal: UInt64 = 0
  package var lateTotal: UInt64 = 0
  /// Local times, seconds since 1970.
  package var lastEventAt: Double?
  package var lastCommitAt: Double?
  /// How long ago, by Box's clock, the stream was last known to be complete.
  package var positionAge: Duration?
  package var retentionLeft: Duration?
  /// What is wrong, one line with the remedy; nil when nothing is.
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
