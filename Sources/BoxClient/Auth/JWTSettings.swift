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
    guard pem.contains("PRIVATE KEY-----") else {
      throw Self.keyFailure("is not a PEM private key", Self.downloadHint)
    }
    guard pem.contains("ENCRYPTED") else {
      if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) { return key }
      throw Self.isRSA(pem)
        ? Self.keyFailure("is damaged or shorter than 2048 bits", Self.downloadHint)
        : Self.keyFailure("is not an RSA key", "Box takes RSA keys only. \(Self.downloadHint)")
    }
    let passphrase = Array(self.passphrase.reveal().utf8)
    guard !passphrase.isEmpty else {
      throw Self.keyFailure(
        "is encrypted, and the passphrase is missing",
        "Add it as boxAppSettings.appAuth.passphrase. If it is lost: \(Self.downloadHint)")
    }
    // The library crashes on a byte above 127, and takes no more than a kilobyte.
    guard passphrase.allSatisfy({ $0 < 128 }), passphrase.count <= 1000 else {
      throw FeedFailure(
        .signInRefused, "the passphrase in the JWT settings file is too long or not ASCII",
        hint: "Encrypt the private key again with an ASCII passphrase.")
    }
    if let name = Self.unsupportedEncryption(of: pem) {
      throw Self.keyFailure(
        "is encrypted with \(name), which is not supported",
        "Encrypt it again: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256.")
    }
    let key = try? _RSA.Signing.PrivateKey(encryptedPEMRepresentation: pem) { $0(passphrase) }
    guard let key else {
      throw Self.keyFailure(
        "can't be decrypted with its passphrase",
        "The passphrase is wrong, or the key is damaged or not an RSA key. \(Self.downloadHint)")
    }
    return key
  }

  private static func keyFailure(_ problem: String, _ hint: String) -> FeedFailure {
    FeedFailure(.signInRefused, "the private key in the JWT settings file \(problem)", hint: hint)
  }

  /// Whether a key that isn't encrypted is an RSA key by its form, or is too damaged to tell.
  private static func isRSA(_ pem: String) -> Bool {
    if pem.contains("RSA PRIVATE KEY") { return true }
    guard pem.contains("-----BEGIN PRIVATE KEY") else { return false }
    // rsaEncryption
    let identifier: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    return head(of: pem).map { $0.firstRange(of: identifier) != nil } ?? true
  }

  /// The name of an encryption that the library doesn't support, found by its object identifier.
  private static func unsupportedEncryption(of pem: String) -> String? {
    guard let head = head(of: pem) else { return nil }
    let identifiers: [(name: String, bytes: [UInt8])] = [
      ("HMAC-SHA384", [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x0A]),
      ("HMAC-SHA512", [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x0B]),
      ("scrypt", [0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x04, 0x0B]),
    ]
    return identifiers.first { head.firstRange(of: $0.bytes) != nil }?.name
  }

  /// The first bytes of the key, which name its kind; nil if it isn't Base64.
  private static func head(of pem: String) -> [UInt8]? {
    let base64 = pem.split { $0 == "\n" || $0 == "\r" }.filter { !$0.hasPrefix("-----") }.joined()
    return Data(base64Encoded: base64, options: .ignoreUnknownCharacters).map { Array($0.prefix(256)) }
  }
}
