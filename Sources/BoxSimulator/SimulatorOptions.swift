/// How a simulated Box behaves. The defaults are as awkward as the real one, faults excepted.
package struct SimulatorOptions: Sendable {
  /// Where to listen; loopback unless told otherwise.
  package var host = "127.0.0.1"
  /// 0 lets the kernel choose.
  package var port = 0
  /// A second port for the realtime server, so that its origin differs from the API's.
  /// 0 lets the kernel choose; nil serves it on ``port`` as well.
  package var realtimePort: Int? = 0
  /// Threads that serve. One drains 200,000 events in a second or two.
  package var threads = 1
  /// Reproduces events, page shapes and random faults.
  package var seed: UInt64 = 1
  /// How far this Box's clock, shown in `Date` and used for tokens, is ahead of the machine's.
  package var clockOffset = Duration.zero
  /// Answers in chunked encoding instead of with a content length.
  package var usesChunkedEncoding = false
  /// Closes a connection this long after its last answer; nil leaves it open. A client that sends its
  /// next request at that moment finds the connection dead, as after a long poll at Box.
  package var keepAlive: Duration?
  /// Compresses answers for clients that ask for gzip.
  package var offersGzip = true

  package var credentials = Credentials()
  package var feed = Feed()
  package var realtime = Realtime()

  /// Events every user's feed of each of ``feedTypes`` holds at the start.
  package var backlog = 0
  /// The stream types that get a backlog and live events; any other type starts empty.
  package var feedTypes = ["all"]
  /// A pause after which every feed gets ``liveBatch`` new events; nil for none.
  package var liveInterval: Duration?
  package var liveBatch = 1

  /// Random faults of each endpoint.
  package var faultRates: [SimulatedEndpoint: FaultRates] = [:]
  /// Requests the log keeps; older ones are forgotten, the counts stay.
  package var requestLogCapacity = 1000
  /// Reads of one feed within a second that bring nothing new, above which a violation is recorded.
  package var hotLoopLimit: Int?

  package init() {}
}
