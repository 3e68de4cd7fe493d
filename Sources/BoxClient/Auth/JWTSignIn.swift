package import BoxEvents
import CryptoExtras
import JWTKit

/// Signing in with a key pair.
/// Source: <https://developer.box.com/guides/authentication/jwt/>
package struct JWTSignIn: SignIn {
  private let endpoint: TokenEndpoint
  private let settingsFile: SecretProvider
  private let subject: Subject?
  private let localClock: @Sendable () -> BoxTime

  /// - Parameter subject: nil for the settings file's enterprise.
  package init(
    endpoint: TokenEndpoint, settingsFile: @escaping SecretProvider, subject: Subject? = nil,
    localClock: @escaping @Sendable () -> BoxTime = { .localNow }
  ) {
    self.endpoint = endpoint
    self.settingsFile = settingsFile
    self.subject = subject
    self.localClock = localClock
  }

  package func signIn() async throws(FeedFailure) -> AccessToken {
    let settings = try JWTSettings(parsing: try read("JWT settings file", settingsFile))
    let answer = try await request(settings, now: localClock())
    // If this machine's clock is wrong, once more by the time of Box's answer.
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
      throw FeedFailure(
        .signInRefused, "cannot sign with the private key of the JWT settings file",
        hint: "Download the settings file again from Box's developer console.")
    }
    return try await endpoint.request(
      [
        .plain("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        .secret("assertion", Secret(text)),
        .plain("client_id", settings.clientID),
        .secret("client_secret", settings.clientSecret),
      ], of: subject)
  }
}

extension TokenAnswer.Refusal {
  /// Box names the claim: "Please check the 'exp' claim", "…the 'jti' claim".
  fileprivate var blamesTheClock: Bool {
    status == 400 && ["exp", "jti", "clock", "iat", "nbf"].contains { description.contains($0) }
  }
}

/// The signed statement that a key pair's owner sends instead of a password.
/// Source: <https://developer.box.com/guides/authentication/jwt/without-sdk/>
struct JWTAssertion: JWTPayload {
  var iss: String
  var sub: String
  var subjectType: String
  var aud: String
  /// 16 to 128 characters, never used twice.
  var jti: String
  /// Seconds since 1970, at most 60 s ahead.
  var exp: Int64

  enum CodingKeys: String, CodingKey {
    case iss, sub, aud, jti, exp
    case subjectType = "box_sub_type"
  }

  /// Below Box's 60 s, so that a clock that is a little fast does no harm.
  static let lifetimeSeconds: Int64 = 45

  init(clientID: String, subject: Subject, audience: String, now: BoxTime) {
    iss = clientID
    sub = subject.id
    subjectType = subject.kind.rawValue
    aud = audience
    jti = Hexadecimal.random(bytes: 24)
    exp = now.secondsSince1970 + Self.lifetimeSeconds
  }

  /// Signs with RS256.
  func signed(by key: _RSA.Signing.PrivateKey, keyID: String) async throws -> String {
    let keys = JWTKeyCollection()
    let kid = JWKIdentifier(string: keyID)
    await keys.add(rsa: try Insecure.RSA.PrivateKey(backing: key), digestAlgorithm: .sha256, kid: kid)
    return try await keys.sign(self, kid: kid)
  }

  // Only Box verifies assertions.
  func verify(using algorithm: some JWTAlgorithm) async throws {}
}

extension Hexadecimal {
  /// Unguessable digits, from the system's random number generator.
  package static func random(bytes count: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return text(of: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
  }
}
