import Crypto
import CryptoExtras
import FoundationEssentials

/// A signed JWT, its signature verified and its claims read.
///
/// Source: <https://developer.box.com/guides/authentication/jwt/without-sdk/>
struct Assertion: Decodable {
  var iss: String
  var sub: String
  var subjectType: String
  var aud: String
  var jti: String
  var exp: Int64

  private enum CodingKeys: String, CodingKey {
    case iss, sub, aud, jti, exp
    case subjectType = "box_sub_type"
  }

  private struct Header: Decodable {
    var alg: String
    var kid: String?
  }

  init(verifying text: String) throws(Refusal) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let decoded = parts.compactMap(Self.decoded)
    guard decoded.count == 3, parts.count == 3,
      let header = try? JSONDecoder().decode(Header.self, from: decoded[0])
    else { throw .grant("Please check the assertion: it is not a JWT.") }
    guard header.kid == SimulatorKey.publicKeyID else {
      throw .claim("kid", "No public key of this id is registered.")
    }
    let signed = Data("\(parts[0]).\(parts[1])".utf8)
    guard Self.isValid(decoded[2], of: signed, algorithm: header.alg) else {
      throw .grant("OAuth JWT signature is invalid.")
    }
    guard let claims = try? JSONDecoder().decode(Self.self, from: decoded[1]) else {
      throw .grant("Please check the claims: one is missing.")
    }
    // A decoder accepts 1.7e9 as an integer; Box does not.
    let tokens = String(decoding: decoded[1], as: UTF8.self).filter { !$0.isWhitespace }
    guard tokens.contains("\"exp\":\(claims.exp),") || tokens.contains("\"exp\":\(claims.exp)}") else {
      throw .claim("exp", "It must be an integer.")
    }
    self = claims
  }

  private static func isValid(_ signature: Data, of data: Data, algorithm: String) -> Bool {
    guard let key = try? _RSA.Signing.PublicKey(pemRepresentation: SimulatorKey.publicKey) else {
      return false
    }
    let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
    let padding = _RSA.Signing.Padding.insecurePKCS1v1_5
    return switch algorithm {
    case "RS256": key.isValidSignature(signature, for: SHA256.hash(data: data), padding: padding)
    case "RS384": key.isValidSignature(signature, for: SHA384.hash(data: data), padding: padding)
    case "RS512": key.isValidSignature(signature, for: SHA512.hash(data: data), padding: padding)
    default: false
    }
  }

  /// Base64url without padding (RFC 7515, section 2).
  private static func decoded(_ text: Substring) -> Data? {
    var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
    base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
    return Data(base64Encoded: String(base64))
  }
}
