package import BoxEvents

/// Signing in with a key pair.
///
/// Source: <https://developer.box.com/guides/authentication/jwt/>
package struct JWTSignIn: SignIn {
  private let endpoint: TokenEndpoint
  private let settingsFile: SecretProvider
  private let subject: Subject?
  private let localClock: @Sendable () -> BoxTime

  /// - Parameters:
  ///   - settingsFile: the contents of Box's settings file.
  ///   - subject: nil for the settings file's enterprise.
  package init(endpoint: TokenEndpoint, settingsFile: @escaping SecretProvider, subject: Subject? = nil) {
    self.init(endpoint: endpoint, settingsFile: settingsFile, subject: subject) { .localNow }
  }

  init(
    endpoint: TokenEndpoint, settingsFile: @escaping SecretProvider, subject: Subject?,
    localClock: @escaping @Sendable () -> BoxTime
  ) {
    self.endpoint = endpoint
    self.settingsFile = settingsFile
    self.subject = subject
    self.localClock = localClock
  }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    let settings = try JWTSettings(parsing: try BoxClient.read("JWT settings file", settingsFile))
    let answer = try await request(settings, now: localClock())
    // A wrong clock here is Box's to correct: once more, by the time of its answer.
    if case .refused(let refusal) = answer, refusal.blamesTheClock, let date = refusal.date {
      return try await request(settings, now: date).token()
    }
    return try answer.token()
  }

  private func request(_ settings: JWTSettings, now: BoxTime) async throws(FeedFailure) -> TokenAnswer {
    let subject = try settings.subject(subject)
    let assertion = JWTAssertion(
      clientID: settings.clientID, subject: subject, audience: endpoint.url.description, now: now)
    let key = try settings.signingKey()
    guard let text = try? await assertion.signed(by: key, keyID: settings.publicKeyID) else {
      throw FeedFailure(.signInRefused, "the private key in the JWT settings file can't sign")
    }
    return try await endpoint.request([
      .plain("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
      .secret("assertion", Secret(text)),
      .plain("client_id", settings.clientID),
      .secret("client_secret", settings.clientSecret),
    ])
  }
}

extension TokenAnswer.Refusal {
  /// Box names the claim: "Please check the 'exp' claim", "…the 'jti' claim".
  fileprivate var blamesTheClock: Bool {
    status == 400 && ["exp", "jti", "clock", "iat", "nbf"].contains { description.contains($0) }
  }
}
