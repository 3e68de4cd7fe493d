package import BoxEvents
import NIOHTTP1

/// `POST /oauth2/token`, for every kind of grant.
/// Source: <https://developer.box.com/reference/post-oauth2-token/>
package struct TokenEndpoint: Sendable {
  let url: WebURL
  private let transport: BoxTransport
  private var observer: CallObserver

  /// - Throws: if `token_url` is not encrypted.
  package init(
    transport: BoxTransport, url: WebURL, observer: @escaping CallObserver = { _ in }
  ) throws(ClientSettingsError) {
    try url.requireConfidential(key: "token_url")
    self.transport = transport
    self.url = url
    self.observer = observer
  }

  /// The same, with one more observer.
  package func observed(by observer: @escaping CallObserver) -> TokenEndpoint {
    var endpoint = self
    endpoint.observer = { [earlier = self.observer] in
      earlier($0)
      observer($0)
    }
    return endpoint
  }

  /// A field of the form. Secret ones are kept out of every message.
  struct Field {
    let name: String
    let value: Secret<String>
    let isSecret: Bool

    static func plain(_ name: String, _ value: String) -> Field {
      Field(name: name, value: Secret(value), isSecret: false)
    }

    static func secret(_ name: String, _ value: Secret<String>) -> Field {
      Field(name: name, value: value, isSecret: true)
    }
  }

  /// Asks for a token.
  /// - Parameters:
  ///   - subject: whose token it is to be, for hints.
  ///   - mustBeAnswered: the request spends one of its fields.
  /// - Throws: if no answer came.
  func request(
    _ fields: [Field], of subject: Subject? = nil, mustBeAnswered: Bool = false
  ) async throws(FeedFailure) -> TokenAnswer {
    var call = HTTPCall(.token, url)
    call.mustBeAnswered = mustBeAnswered
    call.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    call.body = FormEncoding.body(fields.map { ($0.name, $0.value.reveal()) })
    do throws(FeedFailure) {
      let answer = try await transport.send(call, observer)
      return TokenAnswer(answer, of: subject, hiding: fields.filter(\.isSecret).map(\.value))
    } catch {
      guard error.code != .cancelled else { throw error }
      var failure = error
      failure.code = .signInFailed
      throw failure
    }
  }
}

/// The answer of the token endpoint.
enum TokenAnswer: Sendable {
  /// The refresh token comes only with an OAuth 2 login.
  case granted(AccessToken, refreshToken: Secret<String>?)
  case refused(Refusal)

  struct Refusal: Sendable {
    /// OAuth 2's `error`: `invalid_grant`.
    var error = ""
    /// OAuth 2's `error_description`, in lower case, to look into.
    var description = ""
    var status: Int
    /// The answer's `Date`.
    var date: BoxTime?
    /// The refusal in words.
    var failure: FeedFailure
  }

  /// Used if Box names no lifetime, or one out of range.
  static let defaultLifetime = Duration.seconds(3600)
  /// Errors that stay until an operator changes something.
  /// Source: RFC 6749, section 5.2.
  static let lastingErrors: Set = [
    "invalid_client", "unauthorized_client", "invalid_grant", "unsupported_grant_type", "access_denied",
  ]

  /// - Parameter secrets: what was sent and must not come back in a message.
  init(_ answer: HTTPAnswer, of subject: Subject? = nil, hiding secrets: [Secret<String>]) {
    let document = JSONDocument(answer.body)
    guard answer.status == 200 else {
      self = .refused(Refusal(answer, document, subject, secrets))
      return
    }
    let lifetime = document?["expires_in"].integer(in: 1...86_400).map { Duration.seconds($0) }
    let text = document?["access_token"].text ?? ""
    guard let token = AccessToken(text, lifetime: lifetime ?? Self.defaultLifetime) else {
      let failure = FeedFailure(
        .signInFailed, "the answer of the token endpoint lacks an access token",
        hint: "Check token_url in [box]. \(FeedFailure.foreignHint)", status: 200)
      self = .refused(Refusal(status: 200, date: answer.date, failure: failure))
      return
    }
    // An empty one would replace one that is still good.
    let refreshToken = document?["refresh_token"].text.flatMap { $0.isEmpty ? nil : Secret($0) }
    self = .granted(token, refreshToken: refreshToken)
  }

  /// The token, or the refusal as an error.
  func token() throws(FeedFailure) -> AccessToken {
    switch self {
    case .granted(let token, _): return token
    case .refused(let refusal): throw refusal.failure
    }
  }
}

extension TokenAnswer.Refusal {
  fileprivate init(
    _ answer: HTTPAnswer, _ document: JSONDocument?, _ subject: Subject?, _ secrets: [Secret<String>]
  ) {
    error = document?["error"].text ?? ""
    description = (document?["error_description"].text ?? "").lowercased()
    status = answer.status
    date = answer.date
    failure = answer.refusal(from: .token, hiding: secrets)
    let isLasting = 400..<404 ~= status && TokenAnswer.lastingErrors.contains(error)
    failure.code = isLasting ? .signInRefused : .signInFailed
    if isLasting { failure.hint = remedy(for: subject) }
  }

  private func remedy(for subject: Subject?) -> String {
    switch (error, subject) {
    case ("invalid_client", _):
      "Compare client_id and the client secret with those of the app in Box's developer console."
    case ("invalid_grant", let subject?):
      "Check that \(subject) exists, and that the app is authorized in the Admin Console"
        + (subject.kind == .user ? " and has \"Generate user access tokens\"." : " of that enterprise.")
    default: "Check [auth], and whether the app is authorized in the Admin Console."
    }
  }
}
