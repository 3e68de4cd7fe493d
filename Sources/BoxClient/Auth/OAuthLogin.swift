package import BoxEvents

/// The one-time login: an address to open in a browser, and a code to paste back.
/// Source: <https://developer.box.com/guides/authentication/oauth2/without-sdk/>
package struct OAuthLogin: Sendable {
  /// Must come back unchanged, so that a code from another login is not taken for this one's.
  let state: String
  private let clientID: String
  private let authorizeURL: WebURL

  /// - Parameter tokenURL: unless it is Box's own, the authorization page is on its host.
  package init(clientID: String, tokenURL: WebURL, state: String = Hexadecimal.random(bytes: 16)) {
    let isBox = tokenURL.host == "api.box.com"
    let origin = isBox ? WebURL.Origin(scheme: .https, host: "account.box.com") : tokenURL.origin
    self.clientID = clientID
    self.authorizeURL = WebURL(origin, path: "/api/oauth2/authorize")
    self.state = state
  }

  /// The address to open in a browser.
  package var authorizationURL: String {
    let query = FormEncoding.body([("response_type", "code"), ("client_id", clientID), ("state", state)])
    return authorizeURL.appending(query: query).description
  }

  /// The code in the pasted text: the code itself, or the redirect's address, whose state is checked.
  /// - Throws: `signInRefused`.
  package func code(pasted: String) throws(FeedFailure) -> Secret<String> {
    let text = pasted.trimmed
    guard text.contains("?") || text.contains("=") else {
      guard AccessToken(text, lifetime: nil) != nil else {
        throw FeedFailure(.signInRefused, "the pasted text is not a code", hint: Self.pasteHint)
      }
      return Secret(text)
    }
    let start = text.firstRange(of: "?")?.upperBound ?? text.startIndex
    let query = text[start...].prefix { $0 != "#" }
    if let error = FormEncoding.value(of: "error", in: query) {
      throw FeedFailure(.signInRefused, "Box refused the login: \(PlainText.excerpt(error))")
    }
    guard FormEncoding.value(of: "state", in: query) == state else {
      throw FeedFailure(
        .signInRefused, "the pasted address belongs to another login: its state does not match",
        hint: "Open the address printed above and try again.")
    }
    guard let code = FormEncoding.value(of: "code", in: query), !code.isEmpty else {
      throw FeedFailure(.signInRefused, "the pasted address lacks a code", hint: Self.pasteHint)
    }
    return Secret(code)
  }

  /// Trades the code for the first refresh token and stores it. Beside a running daemon, which uses it from its next
  /// sign-in on. A cancelled task ends it only as long as the code hasn't been sent.
  package func finish(
    code: Secret<String>, clientSecret: Secret<String>, endpoint: TokenEndpoint, store: any RefreshTokenStore
  ) async throws(FeedFailure) {
    let release = try await store.taken()
    defer { release() }
    do { try await store.proveWritable() } catch { throw Self.notSaved }
    let answer = try await endpoint.request(
      [
        .plain("grant_type", "authorization_code"),
        .secret("code", code),
        .plain("client_id", clientID),
        .secret("client_secret", clientSecret),
      ], mustBeAnswered: true)
    switch answer {
    case .refused(var refusal):
      if refusal.isInvalidGrant {
        refusal.failure.hint =
          "Run box-eventd login again and paste the new code at once: it is valid for a short time only."
      }
      throw refusal.failure
    case .granted(_, let refreshToken?):
      do { try await store.save(refreshToken) } catch { throw Self.notSaved }
    case .granted(_, nil):
      throw FeedFailure(.signInFailed, "the answer of the token endpoint lacks a refresh token")
    }
  }

  private static let pasteHint = "Paste the code, or the full address with it."
  private static let notSaved = FeedFailure(
    .signInFailed, "cannot save the refresh token in the state directory", hint: RefreshTokenSignIn.stateHint)
}
