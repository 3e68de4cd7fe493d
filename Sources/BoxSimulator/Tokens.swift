import BoxEvents
import NIOCore

/// The tokens that the simulated Box has issued, and who may ask for one.
struct Tokens: Sendable {
  let credentials: SimulatorOptions.Credentials
  /// The `aud` that assertions must name: the token URL, known once the port is.
  var audience = ""
  private(set) var issued = 0
  var access: [String: (user: String, expires: NIODeadline)]
  /// Tokens, each with its user, that work once.
  private(set) var refreshTokens: [String: String]
  private(set) var spentRefreshTokens: Set<String> = []
  /// Authorization codes, each with its user, that work once.
  var codes: [String: String]
  /// The `jti` of every assertion.
  var assertionIDs: Set<String> = []
  private var random: SplitMix64

  init(credentials: SimulatorOptions.Credentials, seed: UInt64) {
    self.credentials = credentials
    refreshTokens = credentials.refreshTokens
    codes = credentials.authorizationCodes
    access = credentials.accessTokens.mapValues { ($0, .distantFuture) }
    random = SplitMix64(seed: seed, name: "tokens")
  }

  /// Whose token this is; nil if it is unknown, revoked or expired.
  func user(of token: String) -> String? {
    access[token].flatMap { $0.expires > .now() ? $0.user : nil }
  }

  /// A user, or the service account under the enterprise's id.
  func exists(user: String) -> Bool { credentials.users.contains(user) || user == credentials.enterpriseID }

  /// Makes an access token valid.
  mutating func add(accessToken: String, user: String) {
    access[accessToken] = (user, .now() + TimeAmount(credentials.tokenLifetime))
  }

  /// A new access token.
  mutating func issue(user: String) -> String {
    if issued % 1000 == 999 { access = access.filter { $0.value.expires > .now() } }
    issued += 1
    let token = "T\(issued)\(randomText())"
    add(accessToken: token, user: user)
    return token
  }

  /// An authorization code, good for one token.
  mutating func issueCode(user: String) -> String {
    let code = "C\(randomText())"
    codes[code] = user
    return code
  }

  mutating func issueRefreshToken(user: String) -> String {
    let token = "R\(randomText())\(randomText())"
    refreshTokens[token] = user
    return token
  }

  /// Spends a refresh token.
  /// - Returns: its user; nil if it is not valid.
  mutating func spend(refreshToken: String) -> String? {
    guard let user = refreshTokens.removeValue(forKey: refreshToken) else { return nil }
    spentRefreshTokens.insert(refreshToken)
    return user
  }

  private mutating func randomText() -> String { String(random.next(), radix: 36) }
}
