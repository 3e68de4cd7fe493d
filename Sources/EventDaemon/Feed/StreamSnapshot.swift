import BoxEvents

/// One stream at one moment: everything `status` and the metrics show of it.
struct StreamSnapshot: Sendable {
  var name: String
  var state: StreamState
  /// Digits, `now` or `0`; nil before the first position is known.
  var position: String?
  /// What earlier runs have counted is known: without it, `eventsTotal` and `gapsTotal` mean nothing.
  var hasRecovered = false
  /// Events spooled since the stream began: the ordinal of the next one.
  var eventsTotal: UInt64 = 0
  /// Since the start of the process, like all counts that follow except `gapsTotal`.
  var duplicatesTotal: UInt64 = 0
  /// Gaps recorded since the stream began.
  var gapsTotal: UInt64 = 0
  var bytesTotal: UInt64 = 0
  var quarantinedTotal: UInt64 = 0
  /// Lookbacks for events that Box has shown late, and how many of those were found.
  var lookbacksTotal: UInt64 = 0
  var lateTotal: UInt64 = 0
  /// Local times, seconds since 1970.
  var lastEventAt: Double?
  var lastCommitAt: Double?
  /// How long ago, by Box's clock, the stream was last known to be complete; by the local one before Box's first answer,
  /// and since the start where it never was.
  var positionAge: Duration?
  var retentionLeft: Duration?
  /// What is wrong and what to do, in one line; nil when nothing is wrong.
  var error: String?
  /// Only realtime notifications are missing: events are read all the same.
  var isErrorOfRealtime = false
  /// Until what is wrong is tried again; nil where nothing is wrong or no attempt is planned.
  var nextAttempt: Duration?
  /// How long Box's answer to a request has been awaited, from a minute on.
  var answerAwaited: Duration?
  /// Every stage is inside its deadline.
  var isTimely = true
  var requests: [RequestKey: UInt64] = [:]
  var requestSeconds = Histogram()
  var commitSeconds = Histogram()
  /// From an event's `created_at` to durable.
  var deliveryDelaySeconds = Histogram()

  /// What calls to Box are counted by.
  struct RequestKey: Hashable, Sendable {
    /// `events`, `options`, `poll`; without a stream `token`, `user`.
    var endpoint: String
    /// The HTTP status, or a failure's code: `200`, `unreachable`.
    var code: String
  }
}

/// What a stream is doing, as `status`, the metrics and `STATUS=` name it.
package enum StreamState: String, Sendable, Hashable, CaseIterable, Codable {
  case starting
  /// Reading pages and committing them.
  case reading
  /// Caught up, waiting for Box to report a change.
  case polling
  /// Between two attempts: back-off, or the spacing of reads that bring nothing.
  case waiting
  /// Box keeps serving a full page of known events; reading can't get past it.
  case stalled
  /// The disk is full; nothing is read until there is free space.
  case paused
  /// Operator action required; the message names it.
  case blocked
  case stopped

  init(_ condition: FeedCondition) {
    self =
      switch condition {
      case .reading: .reading
      case .polling: .polling
      case .waiting: .waiting
      case .stalled: .stalled
      case .paused: .paused
      case .blocked: .blocked
      }
  }
}

/// Why a stream goes on only after an operator's action.
struct OperatorActionRequired: ExplainedError, Hashable, Sendable {
  enum Remedy: Hashable, Sendable {
    /// Sign in again.
    case signIn
    /// Set the stream's position or repair its state.
    case data
  }

  let remedy: Remedy
  let message: String
  let hint: String?

  init(_ failure: some ExplainedError) {
    remedy = (failure as? FeedFailure)?.code == .signInRefused ? .signIn : .data
    message = failure.message
    hint = failure.hint
  }
}

/// Counts of durations in fixed buckets, as Prometheus wants them.
struct Histogram: Hashable, Sendable {
  /// Upper bounds in seconds: from a fast disk to a long poll.
  static let bounds: [Double] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900,
  ]

  /// One count a bound, not cumulative, and a last one for everything above; empty before the first.
  private(set) var counts: [UInt64] = []
  private(set) var sum: Double = 0
  private(set) var count: UInt64 = 0

  mutating func record(_ seconds: Double) {
    guard seconds.isFinite, seconds >= 0 else { return }
    if counts.isEmpty { counts = [UInt64](repeating: 0, count: Self.bounds.count + 1) }
    counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
    sum += seconds
    count += 1
  }

  mutating func record(_ duration: Duration) { record(duration / .seconds(1)) }

  /// Counts what another one has counted.
  mutating func add(_ other: Histogram) {
    guard other.count > 0 else { return }
    if counts.isEmpty {
      counts = other.counts
    } else {
      for index in counts.indices { counts[index] &+= other.counts[index] }
    }
    sum += other.sum
    count &+= other.count
  }
}
