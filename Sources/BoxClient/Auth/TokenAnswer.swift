import BoxEvents

/// What the token endpoint answered.
enum TokenAnswer: Sendable {
  case granted(Grant)
  case refused(Refusal)

  struct Grant: Sendable {
    var token: AccessToken
    /// Only in an OAuth 2 login.
    var refreshToken: Secret<String>?
  }

  struct Refusal: Sendable {
    /// OAuth 2's `error`: `invalid_grant`.
    var error: String
    /// OAuth 2's `error_description`, in lower case, to look into.
    var description: String
    var status: Int
    /// The answer's `Date`.
    var date: BoxTime?
    /// What to tell people.
    var failure: FeedFailure
  }

  /// Where Box names no lifetime, or one that can't be meant.
  static let defaultLifetime = Duration.seconds(3600)
  /// Error codes that stay until a person changes something.
  /// Source: RFC 6749, 5.2.
  static let lastingErrors: Set = [
    "invalid_client", "unauthorized_client", "invalid_grant", "unsupported_grant_type", "access_denied",
  ]

  init(_ answer: HTTPAnswer, hiding secrets: [Secret<String>]) {
    let document = JSONDocument(answer.body)
    guard answer.status == 200 else {
      self = .refused(Refusal(answer, document, secrets))
      return
    }
    let lifetime = document?["expires_in"].integer(in: 1...86_400).map { Duration.seconds($0) }
    let text = document?["access_token"].text ?? ""
    guard let token = AccessToken(text, lifetime: lifetime ?? Self.defaultLifetime) else {
      let failure = FeedFailure(
        .signInFailed, "the token endpoint's answer holds no access token", status: 200)
      self = .refused(Refusal(error: "", description: "", status: 200, date: answer.date, failure: failure))
      return
    }
    let refreshToken = document?["refresh_token"].text.flatMap { $0.isEmpty ? nil : Secret($0) }
    self = .granted(Grant(token: token, refreshToken: refreshToken))
  }

  /// The token, or the refusal as an error.
  func token() throws(FeedFailure) -> AccessToken {
    switch self {
    case .granted(let grant): return grant.token
    case .refused(let refusal): throw refusal.failure
    }
  }
}

extension TokenAnswer.Refusal {
  init(_ answer: HTTPAnswer, _ document: JSONDocument?, _ secrets: [Secret<String>]) {
    error = document?["error"].text ?? ""
    description = (document?["error_description"].text ?? "").lowercased()
    status = answer.status
    date = answer.date
    failure = answer.refusal(from: "the token endpoint", hiding: secrets)
    if !error.isEmpty {
      let text =
        document?["error_description"].text.map { ": \(PlainText.excerpt($0, hiding: secrets))" } ?? ""
      failure.message =
        "the token endpoint answered \(status) \(PlainText.excerpt(error, hiding: secrets))\(text)"
    }
    let isLasting = 400..<404 ~= status && TokenAnswer.lastingErrors.contains(error)
    failure.code = isLasting ? .signInRefused : .signInFailed
    if isLasting { failure.hint = "check [auth] and the app's authorization in Box's admin console" }
  }
}
