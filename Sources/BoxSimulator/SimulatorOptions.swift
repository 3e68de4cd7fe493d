/// How a simulated Box behaves. The defaults are as awkward as the real one, faults excepted.
public struct SimulatorOptions: Sendable {
  /// Where to listen; loopback unless told otherwise.
  public var host = "127.0.0.1"
  /// 0 lets the kernel choose.
  public var port = 0
  /// A second port for the realtime server, so that its origin differs from the API's.
  /// 0 lets the kernel choose; nil serves it on ``port`` as well.
  public var realtimePort: Int? = 0
  /// Threads that serve. One drains 200,000 events in a second or two.
  public var threads = 1
  /// Reproduces events, page shapes and random faults.
  public var seed: UInt64 = 1
  /// How far this Box's clock, shown in `Date` and used for tokens, is ahead of the machine's.
  public var clockOffset = Duration.zero
  /// Answers in chunked encoding instead of with a content length.
  public var usesChunkedEncoding = false
  /// Closes a connection this long after its last answer; nil leaves it open. A client that sends its
  /// next request at that moment finds the connection dead, as after a long poll at Box.
  public var keepAlive: Duration?
  /// Compresses answers for clients that ask for gzip.
  public var offersGzip = true

  public var credentials = Credentials()
  public var feed = Feed()
  public var realtime = Realtime()

  /// Events every user's feed of each of ``feedTypes`` holds at the start.
  public var backlog = 0
  /// The stream types that get a backlog and live events; any other type starts empty.
  public var feedTypes = ["all"]
  /// A pause after which every feed gets ``liveBatch`` new events; nil for none.
  public var liveInterval: Duration?
  public var liveBatch = 1

  /// Random faults of each endpoint.
  public var faultRates: [SimulatedEndpoint: FaultRates] = [:]
  /// Requests the log keeps; older ones are forgotten, the counts stay.
  public var requestLogCapacity = 1000
  /// Reads of one feed within a second that bring nothing new, above which a violation is recorded.
  public var hotLoopLimit: Int?

  public init() {}
}
