import BoxEvents
import NIOCore

/// The tokens that the simulated Box has issued.
struct Tokens: Sendable {
  let credentials: SimulatorOptions.Credentials
  /// The `aud` that assertions must name: the token URL, known once the port is.
  var audience = ""
  private(set) var issued = 0
  private var access: [String: (user: String, expires: NIODeadline)] = [:]
  private(set) var refreshTokens: [String: String]
  private(set) var spentRefreshTokens: Set<String> = []
  private var codes: [String: String]
  private var assertionIDs: Set<String> = []
  private var random: SplitMix64

  init(credentials: SimulatorOptions.Credentials, seed: UInt64) {
    self.credentials = credentials
    refreshTokens = credentials.refreshTokens
    codes = credentials.authorizationCodes
    random = SplitMix64(seed: seed, name: "tokens")
    for (token, user) in credentials.accessTokens { access[token] = (user, .distantFuture) }
  }

  /// Whose token this is; nil if it is unknown, revoked or expired.
  func user(of token: String) -> String? {
    guard let known = access[token], known.expires > .now() else { return nil }
    return known.user
  }

  /// A user, or the service account under the enterprise's id.
  func exists(user: String) -> Bool {
    credentials.users.contains(user) || user == credentials.enterpriseID
  }

  mutating func revoke(_ token: String) { access[token] = nil }

  mutating func revokeAll() { access = [:] }

  mutating func add(accessToken: String, user: String, lifetime: Duration) {
    access[accessToken] = (user, .now() + TimeAmount(lifetime))
  }

  mutating func add(code: String, user: String) { codes[code] = user }

  /// A new access token.
  mutating func issue(user: String) -> String {
    if issued % 1000 == 999 { access = access.filter { $0.value.expires > .now() } }
    issued += 1
    let token = "T\(issued)\(String(random.next(), radix: 36))"
    add(accessToken: token, user: user, lifetime: credentials.tokenLifetime)
    return token
  }

  /// An authorization code, good for one token.
  mutating func issueCode(user: String) -> String {
    let code = "C\(String(random.next(), radix: 36))"
    codes[code] = user
    return code
  }

  mutating func issueRefreshToken(user: String) -> String {
    let token = "R\(String(random.next(), radix: 36))\(String(random.next(), radix: 36))"
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

  mutating func spend(code: String) -> String? { codes.removeValue(forKey: code) }

  /// False if an assertion with this id has come before.
  mutating func isNew(assertionID: String) -> Bool { assertionIDs.insert(assertionID).inserted }
}
