package import BoxEvents

/// The one-time login of a person: an address to open, a code to paste back.
///
/// Source: <https://developer.box.com/guides/authentication/oauth2/without-sdk/>
package struct OAuthLogin: Sendable {
  package static let defaultAuthorizeURL = "https://account.box.com/api/oauth2/authorize"

  /// What must come back unchanged, so that a code from another login is not taken for ours.
  package let state: String
  private let clientID: String
  private let authorizeURL: String
  private let redirectURI: String?

  /// - Parameters:
  ///   - tokenURL: where it isn't Box's own, the authorization page is looked for on its host.
  ///   - authorizeURL: overrides that.
  ///   - redirectURI: needed only if the app has several.
  package init(
    clientID: String, tokenURL: WebURL, authorizeURL: String? = nil,
    redirectURI: String? = nil
  ) {
    self.init(
      clientID: clientID, authorizeURL: authorizeURL ?? Self.authorizeURL(beside: tokenURL),
      redirectURI: redirectURI, state: RandomText.hexadecimal(bytes: 16))
  }

  init(clientID: String, authorizeURL: String, redirectURI: String?, state: String) {
    self.clientID = clientID
    self.authorizeURL = authorizeURL
    self.redirectURI = redirectURI
    self.state = state
  }

  /// The address to open in a browser.
  package var authorizationURL: String {
    var fields = [("response_type", "code"), ("client_id", clientID), ("state", state)]
    if let redirectURI { fields.append(("redirect_uri", redirectURI)) }
    return authorizeURL + "?" + FormEncoding.body(fields.map { (name: $0.0, value: $0.1) })
  }

  /// The code in what a person pasted: the code itself, or the whole address of the redirect.
  ///
  /// A bare code carries no state, so there is none to check.
  /// - Throws: `signInRefused`, saying what is wrong with it.
  package func code(pasted: String) throws(FeedFailure) -> Secret<String> {
    let text = pasted.trimmed
    guard text.contains("?") || text.contains("=") else {
      guard AccessToken(text, lifetime: nil) != nil else {
        throw FeedFailure(
          .signInRefused, "that is no code", hint: "paste the code, or the whole address with it")
      }
      return Secret(text)
    }
    let query = (text.firstIndex(of: "?").map { text[text.index(after: $0)...] } ?? text[...]).prefix {
      $0 != "#"
    }
    if let error = FormEncoding.value(of: "error", in: query) {
      throw FeedFailure(.signInRefused, "Box refused the login: \(PlainText.excerpt(error))")
    }
    guard FormEncoding.value(of: "state", in: query) == state else {
      throw FeedFailure(
        .signInRefused, "the address belongs to another login: its state is not ours",
        hint: "open the address printed above and try again")
    }
    guard let code = FormEncoding.value(of: "code", in: query), !code.isEmpty else {
      throw FeedFailure(.signInRefused, "the address holds no code")
    }
    return Secret(code)
  }

  /// Trades the code for the first refresh token and stores it.
  package func finish(
    code: Secret<String>, clientSecret: Secret<String>, endpoint: TokenEndpoint, store: any RefreshTokenStore
  ) async throws(FeedFailure) {
    do { try await store.proveWritable() } catch {
      throw FeedFailure(.signInFailed, "the refresh token could not be saved in the state directory")
    }
    var fields: [TokenEndpoint.Field] = [
      .plain("grant_type", "authorization_code"), .secret("code", code), .plain("client_id", clientID),
      .secret("client_secret", clientSecret),
    ]
    if let redirectURI { fields.append(.plain("redirect_uri", redirectURI)) }
    switch try await endpoint.request(fields) {
    case .refused(let refusal): throw refusal.failure
    case .granted(let grant):
      guard let refreshToken = grant.refreshToken else {
        throw FeedFailure(.signInFailed, "Box's answer holds no refresh token")
      }
      do { try await store.save(refreshToken) } catch {
        throw FeedFailure(.signInFailed, "the refresh token could not be saved in the state directory")
      }
    }
  }

  private static func authorizeURL(beside tokenURL: WebURL) -> String {
    tokenURL.host == "api.box.com" ? defaultAuthorizeURL : "\(tokenURL.origin)/api/oauth2/authorize"
  }
}
