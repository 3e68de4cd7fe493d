import BoxEvents

/// One stream at one moment: everything `status` and the metrics say about it.
public struct StreamSnapshot: Sendable {
  public var name: String
  public var state: StreamState
  /// Digits, `now` or `0`; nil before the first position is known.
  public var position: String?
  /// Events this stream has spooled in its life: the ordinal of the next one.
  public var eventsTotal: UInt64 = 0
  /// The rest counts from the start of the process.
  public var duplicatesTotal: UInt64 = 0
  public var gapsTotal: UInt64 = 0
  public var bytesTotal: UInt64 = 0
  public var quarantinedTotal: UInt64 = 0
  /// Looks back for events that Box has shown late, and how many of those were found.
  public var lookbacksTotal: UInt64 = 0
  public var lateTotal: UInt64 = 0
  /// Local times, seconds since 1970.
  public var lastEventAt: Double?
  public var lastCommitAt: Double?
  /// How long ago, by Box's clock, the stream was last known to be complete.
  public var positionAge: Duration?
  public var retentionLeft: Duration?
  /// What is wrong, one line with the remedy; nil when nothing is.
  public var error: String?
  /// Every stage is inside its deadline.
  public var isTimely: Bool = true
  public var requests: [RequestKey: UInt64] = [:]
  public var requestSeconds: Histogram = Histogram()
  public var commitSeconds: Histogram = Histogram()
  /// From an event's `created_at` to durable.
  public var deliveryDelaySeconds: Histogram = Histogram()

  /// What calls to Box are counted by.
  public struct RequestKey: Hashable, Sendable {
    /// `events`, `options`, `poll`, `token`.
    public var endpoint: String
    /// The HTTP status, or a failure's code: `200`, `unreachable`.
    public var code: String

    public init(endpoint: String, code: String) {
      self.endpoint = endpoint
      self.code = code
    }
  }

  public init(name: String, state: StreamState) {
    self.name = name
    self.state = state
  }
}
