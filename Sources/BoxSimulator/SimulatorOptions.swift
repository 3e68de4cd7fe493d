/// How a simulated Box behaves. The defaults are as awkward as the real one, without faults.
package struct SimulatorOptions: Sendable {
  /// The API's port; 0 lets the kernel choose. The realtime server has a port, and so an origin, of its own.
  package var port = 0
  /// Reproduces events, page shapes and random faults.
  package var seed: UInt64 = 1
  /// How far this Box's clock is ahead of the machine's. It shows in `Date` and counts for tokens.
  package var clockOffset = Duration.zero
  /// Send bodies in chunked encoding instead of with a content length.
  package var usesChunkedEncoding = false
  /// Close a connection this long after its last answer, as Box does; nil leaves it open.
  package var keepAlive: Duration?
  /// Compress answers for clients that ask for gzip.
  package var offersGzip = true

  package var credentials = Credentials()
  package var feed = Feed()
  package var realtime = Realtime()
  /// Events in each user's feed of each of ``feedTypes`` at the start.
  package var backlog = 0
  /// The stream types that get a backlog and live events; any other type starts empty.
  package var feedTypes = ["all"]
  /// The pause between live events, ``liveBatch`` of them in every feed; nil for no live events.
  package var liveInterval: Duration?
  package var liveBatch = 1

  /// Random faults of each endpoint.
  package var faultRates: [SimulatedEndpoint: FaultRates] = [:]
  /// Requests the log keeps; older ones are dropped from it, but stay in the counts.
  package var requestLogCapacity = 1000
  /// More reads of one feed within a second that bring nothing new are a violation.
  package var hotLoopLimit: Int?

  package init() {}

  /// The feed of a user and a type; nil is the first user. An enterprise type has one feed for all.
  func key(user: String?, type: String) -> FeedKey {
    let key = FeedKey(user: user ?? credentials.users.first ?? credentials.enterpriseID, type: type)
    return key.isEnterprise ? FeedKey(user: credentials.enterpriseID, type: type) : key
  }
}

extension SimulatorOptions {
  /// Who may sign in, and with what.
  package struct Credentials: Sendable {
    package var clientID = "simulator-client"
    package var clientSecret = "simulator-secret"
    /// The enterprise. The service account's own user stream has the same id.
    package var enterpriseID = "456"
    /// Users that exist; the first is the default one. `As-User` with another id is refused.
    package var users = ["123"]
    /// How long an access token is valid.
    package var tokenLifetime = Duration.seconds(3600)
    /// What is valid at the start, with its user: the first two once, an access token until it is revoked.
    package var refreshTokens = ["simulator-refresh-token": "123"]
    let authorizationCodes = ["simulator-code": "123"]
    let accessTokens = ["simulator-access-token": "123"]
  }

  /// How events are stored and paged.
  package struct Feed: Sendable {
    /// What an empty page carries as its next position.
    package enum EmptyPagePosition: Sendable, CaseIterable { case newest, zero, lower }

    /// Events before the position asked for that an answer serves again: at most a quarter of `limit`, so
    /// that reading always advances; see ``stallingOverlap``.
    package var overlap = 5
    /// Events from the position of a full or unfinished page to its last one: at most a quarter of `limit`.
    package var stepBack = 5
    /// Percentage of entries that are served twice in the same page.
    package var duplicatePercent = 2.0
    /// Percentage of pages with more waiting that are cut short.
    package var shortPagePercent = 10.0
    /// Percentage of pages with more waiting that are empty.
    package var emptyPagePercent = 0.0
    /// Every n-th event of a batch appears before the newest, as one that arrived late; 0 for none.
    /// Requires an ``overlap`` of 5 or more, or a reader can't see them.
    package var lateEvery = 0
    /// How far `created_at` may go back from one event to the next, in seconds.
    package var disorderSeconds = 3
    /// Events before the position that are served again whatever `limit` is. With `limit` or more of them,
    /// no page brings anything new and the position stays. Nil for a feed that advances.
    package var stallingOverlap: Int?
    /// User streams write positions as JSON strings; enterprise streams always do.
    package var positionsAsStrings = false
    package var emptyPagePosition = EmptyPagePosition.newest
    /// `chunk_size` differs from the number of entries.
    package var liesAboutChunkSize = true
    /// The newest events, which can be read; older positions get what is left, without an error.
    package var retainedEvents = Int.max
    /// Bytes of an ordinary event.
    package var eventSizes = 1100...1650
    /// Every n-th event is one of ``oddEvents``, in turn; 0 for none.
    package var oddEvery = 0
    package var oddEvents = OddEvent.everyday

    /// A feed without overlap, duplicates or short pages: for benchmarks, and for tests of something else.
    package static let exact = Feed(
      overlap: 0, stepBack: 0, duplicatePercent: 0, shortPagePercent: 0, disorderSeconds: 0,
      liesAboutChunkSize: false)
  }

  /// How the realtime server behaves.
  package struct Realtime: Sendable {
    /// How long a poll is held before the answer `reconnect`.
    package var hold = Duration.seconds(600)
    /// Announced in minutes.
    package var timeToLive = Duration.seconds(10 * 60)
    package var maximumPolls = 10
    package var retryTimeout = Duration.seconds(610)
    /// `ttl`, `max_retries` and `retry_timeout` as JSON numbers instead of strings.
    package var writesNumbers = false
    /// The status of `max_retries`, the answer to a poll beyond ``maximumPolls``.
    package var exhaustionStatus = 200
    /// `new_change` as documented, or `new_message` as some accounts get.
    package var changeMessage = "new_change"
    /// More events than this after the polled position are answered with `out_of_date`.
    package var outOfDateAfter = Int.max
  }
}
