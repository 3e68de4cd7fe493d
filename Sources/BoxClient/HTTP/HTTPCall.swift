import BoxEvents
import NIOHTTP1

/// One request to Box, as the rest of the module describes it to the transport.
struct HTTPCall: Sendable {
  /// Which connections carry it, and how long it may take.
  enum Lane: Sendable {
    /// Reads, OPTIONS and tokens.
    case api
    /// A long poll: silent for up to this long.
    case poll(Duration)
  }

  var method: HTTPMethod
  var url: Secret<String>
  var headers: HTTPHeaders = [:]
  var body: String?
  var lane: Lane = .api
  /// Bytes; a longer body ends the call with ``tooLarge``.
  var maximumBodyBytes: Int
  /// Bytes to make room for where the answer doesn't say its length.
  var expectedBodyBytes = 0
  var tooLarge: FeedFailure
}
