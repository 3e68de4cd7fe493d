package import BoxEvents

/// Signing in with the refresh token of an OAuth 2 login.
///
/// Each refresh token works once, and its successor comes with the access token, which is used only when the
/// successor is durable. A crash before the save may require a new login; nothing can shorten that moment.
/// From the load to the save the token is this process's alone: `check --online` and `login` run beside the daemon.
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
  /// What this process has stored last. Another one in its place is that of a login, or of another process.
  private var last: Secret<String>?

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
    let release = try await store.taken()
    defer { release() }
    if let unsaved, await isCurrent(unsaved) { return try await save(unsaved) }
    let secret = try read("client secret", clientSecret)
    let refreshToken = try await stored()
    return try await outcome(try await spend(refreshToken, secret), spent: refreshToken)
  }

  private func stored() async throws(FeedFailure) -> Secret<String> {
    let token: Secret<String>?
    do { token = try await store.load() } catch {
      throw FeedFailure(
        .signInFailed, "cannot read the refresh token in the state directory", hint: Self.stateHint)
    }
    guard let token else {
      throw FeedFailure(
        .signInRefused, "the state directory holds no refresh token yet", hint: "Run: box-eventd login.")
    }
    return token
  }

  /// Trades a refresh token in, after a test that its successor can be saved.
  private func spend(
    _ refreshToken: Secret<String>, _ clientSecret: Secret<String>
  ) async throws(FeedFailure) -> TokenAnswer {
    do { try await store.proveWritable() } catch {
      throw FeedFailure(
        .signInFailed, "cannot write to the state directory, so the refresh token is not spent",
        hint: Self.stateHint)
    }
    return try await endpoint.request(
      [
        .plain("grant_type", "refresh_token"),
        .secret("refresh_token", refreshToken),
        .plain("client_id", clientID),
        .secret("client_secret", clientSecret),
      ], mustBeAnswered: true)
  }

  private func outcome(_ answer: TokenAnswer, spent: Secret<String>) async throws(FeedFailure) -> AccessToken
  {
    switch answer {
    case .refused(let refusal) where refusal.isInvalidGrant: throw refusal.loginRequired
    case .refused(var refusal):
      if refusal.status == 409 {
        refusal.failure.message = "Box answered 409: the same token is being refreshed already"
      }
      throw refusal.failure
    // Without a successor the old one stays good (RFC 6749, section 6).
    case .granted(var token, nil):
      token.isOfNewLogin = spent != last
      last = spent
      return token
    case .granted(var token, let refreshToken?):
      token.isOfNewLogin = spent != last
      let unsaved = Unsaved(spent: spent, refreshToken: refreshToken, token: token)
      self.unsaved = unsaved
      return try await save(unsaved)
    }
  }

  private func save(_ unsaved: Unsaved) async throws(FeedFailure) -> AccessToken {
    do { try await store.save(unsaved.refreshToken) } catch {
      throw FeedFailure(
        .signInFailed,
        "cannot save the new refresh token in the state directory; it is kept in memory until it is saved",
        hint: Self.stateHint)
    }
    self.unsaved = nil
    last = unsaved.refreshToken
    return unsaved.token
  }

  /// Whether the store still holds the token that was spent. If a login has stored another, that one counts.
  private func isCurrent(_ unsaved: Unsaved) async -> Bool {
    guard let stored = try? await store.load() else { return true }
    if stored == unsaved.spent || stored == unsaved.refreshToken { return true }
    self.unsaved = nil
    return false
  }

  static let stateHint = "Check the state directory: its owner, its mode, the free space of its disk."
}

extension TokenAnswer.Refusal {
  var isInvalidGrant: Bool { error == "invalid_grant" }

  /// The refusal of a refresh token that can't be replaced by another.
  fileprivate var loginRequired: FeedFailure {
    var failure = failure
    failure.code = .signInRefused
    failure.hint = "The login has expired or was revoked. Run: box-eventd login."
    return failure
  }
}

/// Where the refresh token is kept. A refresh token works once, so its successor must not be lost.
package protocol RefreshTokenStore: Sendable {
  /// Takes the token for one exchange, and waits while another process has it, but not forever.
  /// - Returns: what lets others take it; nil if another process has kept it for too long.
  func take() async throws -> (@Sendable () -> Void)?

  /// The token last saved; nil before the first login.
  func load() async throws -> Secret<String>?

  /// Tests by a synced write that a save would succeed now. Called before a token is spent.
  func proveWritable() async throws

  /// Saves durably: when this returns, a power cut can't lose it.
  func save(_ refreshToken: Secret<String>) async throws
}

extension RefreshTokenStore {
  /// Takes the token, with its failures in words.
  func taken() async throws(FeedFailure) -> @Sendable () -> Void {
    let release: (@Sendable () -> Void)?
    do { release = try await take() } catch {
      if Task.isCancelled { throw .cancelled }
      throw FeedFailure(
        .signInFailed, "cannot lock the refresh token in the state directory",
        hint: RefreshTokenSignIn.stateHint)
    }
    guard let release else {
      throw FeedFailure(
        .signInFailed, "another process is using the refresh token in the state directory",
        hint: "It is the daemon, or a check or login of box-eventd. Try again when it has ended its sign-in.")
    }
    return release
  }
}
