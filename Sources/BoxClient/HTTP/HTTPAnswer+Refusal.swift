import BoxEvents
import NIOHTTP1

extension HTTPAnswer {
  /// What an error status means.
  ///
  /// Box's errors are JSON with `code`, `message` and `request_id`; gateways send HTML or nothing; a 401
  /// may have its reason only in `www-authenticate`.
  /// Source: <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>
  /// - Parameters:
  ///   - server: who answered, for the message: `Box`, `the realtime server`.
  ///   - secrets: what was sent and must not come back in a message.
  func refusal(from server: String, hiding secrets: [Secret<String>]) -> FeedFailure {
    let document = JSONDocument(body)
    let code = document?["code"].text
    let text = document?["message"].text ?? document?["error_description"].text ?? reasonInHeader
    var message = "\(server) answered \(status)"
    if let code, !code.isEmpty { message += " (\(PlainText.excerpt(code, hiding: secrets)))" }
    if let text, !text.isEmpty { message += ": \(PlainText.excerpt(text, hiding: secrets))" }
    let id = document?["request_id"].text.map { PlainText.excerpt($0, hiding: secrets) }
    return FeedFailure(
      failureCode, message, hint: hint, status: status,
      requestID: id.flatMap { $0.isEmpty ? nil : $0 } ?? requestID, retryAfter: retryAfter)
  }

  private var reasonInHeader: String? {
    status == 401 ? headers.first(name: "www-authenticate") : nil
  }

  private var failureCode: FeedFailure.Code {
    switch status {
    case 401: .unauthorized
    case 403: .forbidden
    case 407: .unreachable
    case 408, 425: .serverError  // "try again", whatever their class says
    case 429: .throttled
    case 400..<500: .refused
    default: .serverError
    }
  }

  private var hint: String? {
    switch status {
    case 300..<400: "Redirects are not followed. Check the addresses in [box]."
    case 407: "set proxy_auth_file in [box]"
    default: nil
    }
  }
}
