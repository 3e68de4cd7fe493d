package import BoxEvents
import Glibc
import NIOHTTP1

/// A complete answer, whatever its status.
struct HTTPAnswer: Sendable {
  var status: Int
  var headers: HTTPHeaders
  /// Decompressed.
  var body: [UInt8]

  /// By Box's clock.
  var date: BoxTime? { headers.first(name: "date").flatMap { UTCDate(httpDate: $0) }.map(BoxTime.init) }

  var retryAfter: Duration? {
    headers.first(name: "retry-after").flatMap { RetryAfter.parse($0, now: date ?? BoxTime.localNow) }
  }

  /// The header `box-request-id`, fit for a log.
  var requestID: String? { headers.first(name: "box-request-id").map { PlainText.excerpt($0) } }
}

// MARK: Refusals

extension HTTPAnswer {
  /// What an error status means. Box's errors are JSON with `code`, `message` and `request_id`, those of its
  /// token endpoint with `error` and `error_description`; gateways send HTML or nothing.
  /// Sources: RFC 6749, section 5.2;
  /// <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>.
  /// - Parameter secrets: what was sent and must not come back in a message.
  func refusal(from endpoint: HTTPCall.Endpoint, hiding secrets: [Secret<String>]) -> FeedFailure {
    let document = JSONDocument(body)
    func quoted(_ texts: String?...) -> String? {
      texts.compactMap { $0 }.first { !$0.isEmpty }.map { PlainText.excerpt($0, hiding: secrets) }
    }
    var message = "\(endpoint.server) answered \(status)"
    if let code = quoted(document?["code"].text, document?["error"].text) { message += " (\(code))" }
    // Its header `www-authenticate` is for programs.
    let plain = status == 401 && endpoint.takesAccessToken ? "the access token is refused" : nil
    if let text = quoted(document?["message"].text, document?["error_description"].text, plain) {
      message += ": \(text)"
    }
    return FeedFailure(
      failureCode, message, hint: hint(from: endpoint), status: status,
      requestID: quoted(document?["request_id"].text) ?? requestID, retryAfter: retryAfter)
  }

  private var failureCode: FeedFailure.Code {
    switch status {
    case 401: .unauthorized
    case 403: .forbidden
    case 407: .unreachable
    case 408, 425: .serverError  // "try again", whatever their class
    case 429: .throttled
    case 400..<500: .refused
    default: .serverError
    }
  }

  private func hint(from endpoint: HTTPCall.Endpoint) -> String? {
    switch (status, endpoint) {
    case (300..<400, _): "Redirects are not followed. Check the addresses in [box]."
    case (404, .events), (404, .options): "Check the path of api_url in [box]; Box's is /2.0."
    case (404, .token): "Check the path of token_url in [box]; Box's is /oauth2/token."
    case (401, .token), (403, .token):
      "Check client_id and the client secret, and token_url in [box]. \(FeedFailure.foreignHint)"
    case (500..., _): "If it lasts, look at https://status.box.com, and at the proxy if there is one."
    case (407, _): "A proxy that asks for a user and password must be named by proxy in [box] or HTTPS_PROXY."
    default: nil
    }
  }
}

extension PlainText {
  /// A short, harmless excerpt of a server's text.
  /// - Parameter secrets: what was sent with the request. Some gateways echo requests, so their
  ///   text, plain or form-encoded, is replaced by `<redacted>` before anything is cut off.
  static func excerpt(_ text: String, hiding secrets: [Secret<String>] = []) -> String {
    var text = text
    for secret in secrets where !secret.reveal().isEmpty {
      text = text.replacing(secret.reveal(), with: "<redacted>")
      text = text.replacing(FormEncoding.escaped(secret.reveal()), with: "<redacted>")
    }
    let short = text.prefix(200)
    return escaped(short) + (short.endIndex < text.endIndex ? "…" : "")
  }
}

// MARK: Retry-After

/// The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or an HTTP date.
enum RetryAfter {
  /// Longer waits are cut to this.
  static let maximum = Duration.seconds(3600)

  /// How long to wait; nil for anything but a positive number or a date in the future.
  /// - Parameter now: the time of the answer, by the same clock as the date in the header.
  static func parse(_ text: String, now: BoxTime) -> Duration? {
    let text = text.drop { $0 == " " }.prefix { $0 != "\r" && $0 != "\n" }
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
    let wait =
      isNumber
      ? Duration.seconds(min(Int64(text) ?? .max, 86_400))  // nil: more digits than an Int64 holds
      : UTCDate(httpDate: text).map { BoxTime($0).since(now) }
    return wait.flatMap { $0 > .zero ? min($0, maximum) : nil }
  }
}

extension BoxTime {
  /// This machine's clock, for an assertion's `exp` and for a `Retry-After` date in an answer without `Date`.
  package static var localNow: BoxTime { BoxTime(secondsSince1970: Int64(time(nil))) }
}
