package import BoxEvents
import CryptoExtras
import FoundationEssentials

/// The settings file of an app with a key pair, as Box's developer console hands it out.
/// Source: <https://developer.box.com/guides/authentication/jwt/jwt-setup/>
package struct JWTSettings: Sendable {
  package var clientID: String
  package var clientSecret: Secret<String>
  /// The header `kid` of an assertion.
  package var publicKeyID: String
  /// PEM, usually encrypted.
  package var privateKey: Secret<String>
  /// Empty where the file has none, as for a key that isn't encrypted.
  package var passphrase: Secret<String>
  /// Empty where the file has none.
  package var enterpriseID: String

  /// - Throws: `signInRefused`, with all that is missing.
  package init(parsing file: Secret<String>) throws(FeedFailure) {
    guard let document = JSONDocument(Array(file.reveal().utf8)) else {
      throw FeedFailure(.signInRefused, "the JWT settings file is not JSON", hint: Self.downloadHint)
    }
    var missing: [String] = []
    func text(_ path: String...) -> String {
      let text = path.reduce(document) { $0[$1] }.text ?? ""
      if text.isEmpty { missing.append(path.joined(separator: ".")) }
      return text
    }
    clientID = text("boxAppSettings", "clientID")
    clientSecret = Secret(text("boxAppSettings", "clientSecret"))
    publicKeyID = text("boxAppSettings", "appAuth", "publicKeyID")
    privateKey = Secret(text("boxAppSettings", "appAuth", "privateKey"))
    passphrase = Secret(document["boxAppSettings"]["appAuth"]["passphrase"].text ?? "")
    enterpriseID = document["enterpriseID"].text ?? ""
    guard missing.isEmpty else {
      throw FeedFailure(
        .signInRefused, "the JWT settings file lacks \(missing.joined(separator: ", "))",
        hint: Self.downloadHint)
    }
  }

  private static let downloadHint =
    "Download the settings file again from your app's page in Box's developer console."

  /// Whose token to ask for.
  /// - Parameter configured: the configuration's subject, which goes before the file's enterprise.
  /// - Throws: `signInRefused` if neither names one.
  package func subject(_ configured: Subject?) throws(FeedFailure) -> Subject {
    guard let subject = configured ?? Subject("enterprise:\(enterpriseID)") else {
      throw FeedFailure(
        .signInRefused, "neither subject in [auth] nor enterpriseID in the JWT settings file is set",
        hint: "Add subject = \"enterprise:ID\" or \"user:ID\" to [auth].")
    }
    return subject
  }

  /// Whether the private key can be read and decrypted.
  /// - Throws: `signInRefused`, as signing in would.
  package func checkKey() throws(FeedFailure) { _ = try signingKey() }

  /// The private key, decrypted.
  /// - Throws: `signInRefused`, in words, since the library's own errors are opaque numbers.
  func signingKey() throws(FeedFailure) -> _RSA.Signing.PrivateKey {
    let pem = privateKey.reveal()
    guard pem.contains("ENCRYPTED") else {
      guard let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) else {
        throw FeedFailure(
          .signInRefused, "the private key in the JWT settings file can't be read", hint: Self.downloadHint)
      }
      return key
    }
    let passphrase = Array(self.passphrase.reveal().utf8)
    // The library crashes on a byte above 127, and takes no more than a kilobyte.
    guard passphrase.allSatisfy({ $0 < 128 }), 1...1000 ~= passphrase.count else {
      throw FeedFailure(
        .signInRefused, "the passphrase in the JWT settings file is empty, too long or not ASCII",
        hint: "Encrypt the private key again with an ASCII passphrase.")
    }
    if let name = Self.unsupportedEncryption(of: pem) {
      throw FeedFailure(
        .signInRefused,
        "the private key in the JWT settings file is encrypted with \(name), which is not supported",
        hint: "Encrypt it again: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256.")
    }
    let key = try? _RSA.Signing.PrivateKey(encryptedPEMRepresentation: pem) { $0(passphrase) }
    guard let key else {
      throw FeedFailure(
        .signInRefused, "the private key in the JWT settings file can't be decrypted with its passphrase",
        hint: "The passphrase is wrong or the key is damaged. \(Self.downloadHint)")
    }
    return key
  }

  /// The name of an encryption that the library doesn't support, found by its object identifier.
  private static func unsupportedEncryption(of pem: String) -> String? {
    let base64 = pem.split { $0 == "\n" || $0 == "\r" }.filter { !$0.hasPrefix("-----") }.joined()
    guard let der = Data(base64Encoded: base64, options: .ignoreUnknownCharacters) else { return nil }
    let identifiers: [(name: String, bytes: [UInt8])] = [
      ("HMAC-SHA384", [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x0A]),
      ("HMAC-SHA512", [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x0B]),
      ("scrypt", [0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x04, 0x0B]),
    ]
    let head = Array(der.prefix(256))
    return identifiers.first { head.firstRange(of: $0.bytes) != nil }?.name
  }
}
