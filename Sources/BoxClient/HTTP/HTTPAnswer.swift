import BoxEvents
import NIOHTTP1

/// A complete answer, whatever its status.
struct HTTPAnswer: Sendable {
  var status: Int
  var headers: HTTPHeaders
  /// Decompressed.
  var body: [UInt8]

  /// By Box's clock.
  var date: BoxTime? {
    headers.first(name: "date").flatMap { UTCDate(httpDate: $0) }.map(BoxTime.init)
  }

  var retryAfter: Duration? {
    headers.first(name: "retry-after").flatMap { RetryAfter.parse($0, now: date ?? BoxTime.localNow) }
  }

  /// The header `box-request-id`, fit for a log.
  var requestID: String? {
    headers.first(name: "box-request-id").map { PlainText.excerpt($0) }
  }
}
