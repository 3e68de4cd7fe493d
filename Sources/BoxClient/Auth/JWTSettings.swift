package import BoxEvents
import CryptoExtras
import FoundationEssentials

/// The settings file of an app with a key pair, as Box's developer console hands it out.
///
/// Source: <https://developer.box.com/guides/authentication/jwt/jwt-setup/>
package struct JWTSettings: Sendable {
  package var clientID: String
  package var clientSecret: Secret<String>
  /// The header `kid` of an assertion.
  package var publicKeyID: String
  /// PEM, usually encrypted.
  package var privateKey: Secret<String>
  package var passphrase: Secret<String>
  /// Empty where the file names none.
  package var enterpriseID: String

  /// - Throws: `signInRefused`, saying what is missing.
  package init(parsing file: Secret<String>) throws(FeedFailure) {
    guard let document = JSONDocument(Array(file.reveal().utf8)) else {
      throw FeedFailure(
        .signInRefused, "the JWT settings file is no JSON",
        hint: "use the file from Box's developer console as it is")
    }
    func text(_ path: String...) throws(FeedFailure) -> String {
      let text = path.reduce(document) { $0[$1] }.text ?? ""
      guard !text.isEmpty else {
        throw FeedFailure(.signInRefused, "the JWT settings file lacks \(path.joined(separator: "."))")
      }
      return text
    }
    clientID = try text("boxAppSettings", "clientID")
    clientSecret = Secret(try text("boxAppSettings", "clientSecret"))
    publicKeyID = try text("boxAppSettings", "appAuth", "publicKeyID")
    privateKey = Secret(try text("boxAppSettings", "appAuth", "privateKey"))
    passphrase = Secret(document["boxAppSettings"]["appAuth"]["passphrase"].text ?? "")
    enterpriseID = document["enterpriseID"].text ?? ""
  }

  /// The private key, decrypted.
  /// - Throws: `signInRefused`, in words: the library's own errors are opaque numbers.
  func signingKey() throws(FeedFailure) -> _RSA.Signing.PrivateKey {
    let pem = privateKey.reveal()
    guard pem.contains("ENCRYPTED") else {
      guard let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) else {
        throw FeedFailure(.signInRefused, "the private key in the JWT settings file can't be read")
      }
      return key
    }
    let passphrase = Array(self.passphrase.reveal().utf8)
    // The library crashes on a byte above 127, and takes no more than a kilobyte.
    guard passphrase.allSatisfy({ $0 < 128 }), 1...1000 ~= passphrase.count else {
      throw FeedFailure(
        .signInRefused, "the passphrase in the JWT settings file is empty or has other characters than ASCII",
        hint: "encrypt the private key again with an ASCII passphrase")
    }
    if let name = Self.unsupportedEncryption(of: pem) {
      throw FeedFailure(
        .signInRefused,
        "the private key in the JWT settings file is encrypted with \(name), which is not supported",
        hint: "encrypt it again: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256")
    }
    let key = try? _RSA.Signing.PrivateKey(encryptedPEMRepresentation: pem) { $0(passphrase) }
    guard let key else {
      throw FeedFailure(
        .signInRefused, "the private key in the JWT settings file can't be decrypted with its passphrase",
        hint: "the passphrase is wrong or the key is damaged; download the settings file again")
    }
    return key
  }

  /// The name of an encryption that the library can't undo; found by its object identifier.
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
