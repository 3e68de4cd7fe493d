package import BoxEvents

/// Signing in with the refresh token of an OAuth 2 login.
///
/// Each refresh token works once, and its successor comes with the access token. The successor is
/// durable before the access token is used: a crash in between costs nothing, a crash before the
/// save may need a new login, and nothing here can shorten that moment further.
/// Source: <https://developer.box.com/guides/authentication/tokens/refresh/>
package actor RefreshTokenSignIn: SignIn {
  /// A grant whose refresh token is not durable yet.
  private struct Unsaved {
    var spent: Secret<String>
    var refreshToken: Secret<String>
    var token: AccessToken
  }

  private let endpoint: TokenEndpoint
  private let clientID: String
  private let clientSecret: SecretProvider
  private let store: any RefreshTokenStore
  private var unsaved: Unsaved?

  package init(
    endpoint: TokenEndpoint, clientID: String, clientSecret: @escaping SecretProvider,
    store: any RefreshTokenStore
  ) {
    self.endpoint = endpoint
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.store = store
  }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    if let unsaved, try await isStillWanted(unsaved) { return try await save(unsaved) }
    let secret = try BoxClient.read("client secret", clientSecret)
    let refreshToken = try await stored()
    let answer = try await spend(refreshToken, secret)
    guard case .refused(let refusal) = answer, refusal.error == "invalid_grant" else {
      return try await outcome(answer, spent: refreshToken)
    }
    // A login may have stored a newer one in the meantime.
    let newer = try await stored()
    guard newer != refreshToken else { throw Self.dead(refusal) }
    let second = try await spend(newer, secret)
    if case .refused(let refusal) = second, refusal.error == "invalid_grant" { throw Self.dead(refusal) }
    return try await outcome(second, spent: newer)
  }

  private func stored() async throws(FeedFailure) -> Secret<String> {
    let token: Secret<String>?
    do { token = try await store.load() } catch {
      throw FeedFailure(.signInFailed, "the stored refresh token can't be read", hint: Self.stateHint)
    }
    guard let token else {
      throw FeedFailure(.signInRefused, "nobody has logged in yet", hint: "run: box-eventd login")
    }
    return token
  }

  /// Trades a refresh token in, after a proof that its successor can be kept.
  private func spend(
    _ refreshToken: Secret<String>, _ clientSecret: Secret<String>
  ) async throws(FeedFailure) -> TokenAnswer {
    do { try await store.proveWritable() } catch {
      throw FeedFailure(
        .signInFailed, "a new refresh token could not be saved, so the old one is not spent",
        hint: Self.stateHint)
    }
    return try await endpoint.request([
      .plain("grant_type", "refresh_token"),
      .secret("refresh_token", refreshToken),
      .plain("client_id", clientID),
      .secret("client_secret", clientSecret),
    ])
  }

  private func outcome(_ answer: TokenAnswer, spent: Secret<String>) async throws(FeedFailure) -> AccessToken
  {
    switch answer {
    case .refused(let refusal):
      var failure = refusal.failure
      if refusal.status == 409 { failure.message = "another refresh of the same token is under way at Box" }
      throw failure
    case .granted(let grant):
      // Without a successor the old one stays good (RFC 6749, 6).
      guard let refreshToken = grant.refreshToken else { return grant.token }
      let unsaved = Unsaved(spent: spent, refreshToken: refreshToken, token: grant.token)
      self.unsaved = unsaved
      return try await save(unsaved)
    }
  }

  private func save(_ unsaved: Unsaved) async throws(FeedFailure) -> AccessToken {
    do { try await store.save(unsaved.refreshToken) } catch {
      throw FeedFailure(
        .signInFailed,
        "the new refresh token can't be saved; it is kept in memory and saved before it is used",
        hint: Self.stateHint)
    }
    self.unsaved = nil
    return unsaved.token
  }

  /// Whether the store still holds the token that was spent. If a login has stored another, that one counts.
  private func isStillWanted(_ unsaved: Unsaved) async throws(FeedFailure) -> Bool {
    guard let stored = try? await store.load() else { return true }
    if stored == unsaved.spent || stored == unsaved.refreshToken { return true }
    self.unsaved = nil
    return false
  }

  private static func dead(_ refusal: TokenAnswer.Refusal) -> FeedFailure {
    var failure = refusal.failure
    failure.code = .signInRefused
    failure.hint = "the login has expired or was revoked; run: box-eventd login"
    return failure
  }

  private static let stateHint = "check the state directory: its owner, its mode, the space on its disk"
}
