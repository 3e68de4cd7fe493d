package import BoxEvents
import Glibc

/// Where one secret is, and how it is read.
///
/// A credential of the unit (systemd.exec(5), "LoadCredential=") wins over a `*_file` key. A
/// `*_file` must belong to root or the daemon's user and be closed to others; its group may read it
/// only if root owns it (`root:box-eventd`, 0640). systemd guards credentials by itself.
package struct SecretFile: Hashable, Sendable {
  /// The secrets there are. The raw value is the credential's name.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case clientSecret = "client-secret"
    case jwtSettings = "jwt-settings"
    case accessToken = "access-token"
    case proxyAuth = "proxy-auth"

    /// The key that names a file for it.
    package var key: String {
      switch self {
      case .clientSecret: "client_secret_file"
      case .jwtSettings: "settings_file"
      case .accessToken: "access_token_file"
      case .proxyAuth: "proxy_auth_file"
      }
    }

    /// The table that key is in.
    var table: String { self == .proxyAuth ? "box" : "auth" }
  }

  package let kind: Kind
  package let path: String
  /// In `$CREDENTIALS_DIRECTORY`.
  package let isCredential: Bool

  static let maximumSize = 64 << 10

  /// What stands in a file of a secret, unchecked; nil if it can't be read.
  package static func bytes(at path: String) -> [UInt8]? {
    try? FileContents(path, maximumSize: maximumSize).bytes
  }

  /// The secret itself, read anew, without the newline at its end.
  /// - Throws: a problem that names the path and a remedy, never the contents.
  package func read() throws(ConfigurationError) -> Secret<String> {
    let contents: FileContents
    do {
      contents = try FileContents(path, maximumSize: Self.maximumSize)
    } catch {
      throw refused(error.message, error.hint)
    }
    if !isCredential { try checkGuarded(contents) }
    var bytes = contents.bytes[...]
    if bytes.last == UInt8(ascii: "\n") { bytes = bytes.dropLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
    guard bytes.contains(where: { $0 > 0x20 }) else {
      throw refused("empty", "write the secret into it")
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw refused("not text", "write the secret into it as plain text")
    }
    let breaks = bytes.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    guard kind == .jwtSettings || !breaks else {
      throw refused("more than one line", "leave only the secret in it, on one line")
    }
    return Secret(text)
  }

  private func checkGuarded(_ contents: FileContents) throws(ConfigurationError) {
    guard contents.owner == 0 || contents.owner == geteuid() else {
      throw refused("belongs to another user (\(contents.owner))", "chown \(geteuid()) \(path)")
    }
    let forbidden: mode_t = contents.owner == 0 ? 0o027 : 0o077
    guard contents.mode & forbidden == 0 else {
      let mode = String(contents.mode, radix: 8)
      throw refused("open to others (mode 0\(mode))", "chmod \(contents.owner == 0 ? "640" : "600") \(path)")
    }
  }

  private func refused(_ message: String, _ hint: String) -> ConfigurationError {
    ConfigurationError([.init("\(kind.rawValue), \(path): \(message)", hint: hint)])
  }
}
