import BoxEvents
import CryptoExtras
import JWTKit

/// The signed statement that stands for a password.
///
/// Source: <https://developer.box.com/guides/authentication/jwt/without-sdk/>
struct JWTAssertion: JWTPayload {
  var iss: String
  var sub: String
  var subjectType: String
  var aud: String
  /// 16 to 128 characters, never used twice.
  var jti: String
  /// Whole seconds since 1970, at most 60 s ahead.
  var exp: Int64

  enum CodingKeys: String, CodingKey {
    case iss, sub, aud, jti, exp
    case subjectType = "box_sub_type"
  }

  /// Below Box's 60 s, so that a clock a little fast is no problem.
  static let lifetimeSeconds: Int64 = 45

  init(clientID: String, subject: Subject, audience: String, now: BoxTime) {
    iss = clientID
    sub = subject.id
    subjectType = subject.kind.rawValue
    aud = audience
    jti = RandomText.hexadecimal(bytes: 24)
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
