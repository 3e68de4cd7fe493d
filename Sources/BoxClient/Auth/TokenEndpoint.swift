package import BoxEvents
import NIOHTTP1

/// `POST /oauth2/token`, for every kind of grant.
///
/// Source: <https://developer.box.com/reference/post-oauth2-token/>
package struct TokenEndpoint: Sendable {
  let url: WebURL
  private let transport: BoxTransport
  private let onRequest: RequestObserver

  /// - Throws: where `token_url` is not encrypted.
  package init(
    transport: BoxTransport, url: WebURL,
    onRequest: @escaping RequestObserver = { _, _, _ in }
  ) throws(ClientSettingsError) {
    try url.requireConfidential(key: "token_url")
    self.transport = transport
    self.url = url
    self.onRequest = onRequest
  }

  /// A field of the form. Secret ones are kept out of every message.
  enum Field {
    case plain(String, String)
    case secret(String, Secret<String>)

    var pair: (name: String, value: String) {
      switch self {
      case .plain(let name, let value): (name, value)
      case .secret(let name, let value): (name, value.reveal())
      }
    }

    var secret: Secret<String>? {
      switch self {
      case .plain: nil
      case .secret(_, let value): value
      }
    }
  }

  /// Asks for a token.
  /// - Throws: where there was no answer at all.
  func request(_ fields: [Field]) async throws(FeedFailure) -> TokenAnswer {
    var call = HTTPCall(
      method: .POST, url: Secret(url.description), maximumBodyBytes: transport.settings.maximumSmallBodyBytes,
      tooLarge: FeedFailure(.signInFailed, "the token endpoint's answer is far too long"))
    call.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    call.body = FormEncoding.body(fields.map(\.pair))
    do throws(FeedFailure) {
      let answer = try await transport.send(call, endpoint: "token", observer: onRequest)
      return TokenAnswer(answer, hiding: fields.compactMap(\.secret))
    } catch {
      guard error.code != .cancelled else { throw error }
      var failure = error
      failure.code = .signInFailed
      failure.message = "signing in failed: \(error.message)"
      throw failure
    }
  }
}
