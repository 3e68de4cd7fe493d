package import BoxEvents
import Glibc

/// Where one secret is, and how it is read.
///
/// A credential of the unit (systemd.exec(5), "LoadCredential=") wins over a `*_file` key. A `*_file` must belong to
/// root or the daemon's user and be closed to others; its group may read it only if root owns it (`root:box-eventd`,
/// 0640). systemd guards credentials by itself.
package struct SecretFile: Hashable, Sendable {
  /// Each secret. The raw value is the credential's name; the key that names a file for it is in ``ConfigurationKeys``.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case clientSecret = "client-secret"
    case jwtSettings = "jwt-settings"
    case accessToken = "access-token"
    case proxyAuth = "proxy-auth"

    /// The key that names a file for it: `client_secret_file in [auth]`.
    fileprivate var fileKey: String {
      ConfigurationKeys.key(of: self).map { "\($0.key.name) in \($0.table.header)" } ?? ""
    }
  }

  let kind: Kind
  let path: String
  /// In `$CREDENTIALS_DIRECTORY`.
  let isCredential: Bool
  /// What messages name instead of the path, which may be that of a copy.
  var shownPath: String

  init(kind: Kind, path: String, isCredential: Bool) {
    (self.kind, self.path, self.isCredential, shownPath) = (kind, path, isCredential, path)
  }

  static let maximumSize = 64 << 10

  /// The secret itself, read anew, without a byte order mark before it and the newline at its end.
  /// - Parameter user: who may own the file beside root: the effective one.
  /// - Throws: a problem that names the path and a remedy, never the contents.
  func read(as user: uid_t = geteuid()) throws(ConfigurationError) -> Secret<String> {
    let contents: FileContents
    do {
      contents = try FileContents(path, maximumSize: Self.maximumSize)
    } catch {
      let hint =
        if error.isMissing {
          "Write the secret into it, or name another file with \(kind.fileKey)."
        } else if error.isDenied {
          "\(Self.groupCommand(path)), and let the user enter the folders above it: namei -l \(path)."
        } else {
          error.hint
        }
      throw refused(error.message, hint, isDenied: error.isDenied)
    }
    if !isCredential { try target.checkGuarded(contents, user) }
    var bytes = contents.bytes[...]
    // Some editors begin a file with a byte order mark, which no editor shows.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    if bytes.last == UInt8(ascii: "\n") { bytes = bytes.dropLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
    guard bytes.contains(where: { $0 > 0x20 }) else { throw refused("empty", "Write the secret into it.") }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw refused("not text", "Write the secret into it as plain text.")
    }
    let breaks = bytes.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    guard kind == .jwtSettings || !breaks else {
      throw refused("more than one line", "Leave only the secret in it, on one line.")
    }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard kind != .clientSecret || (words.count == 1 && words[0].utf8.allSatisfy { 0x21...0x7e ~= $0 }) else {
      throw refused("contains spaces or characters outside ASCII", "Leave only the secret in it.")
    }
    return Secret(text)
  }

  /// The file at the end of a link, whose owner and mode count and are changed by chown and chmod.
  private var target: SecretFile {
    var byte: CChar = 0
    guard readlink(path, &byte, 1) > 0, let real = realpath(path, nil) else { return self }
    defer { free(real) }
    return SecretFile(kind: kind, path: String(cString: real), isCredential: isCredential)
  }

  private func checkGuarded(_ contents: FileContents, _ user: uid_t) throws(ConfigurationError) {
    guard contents.owner == 0 || contents.owner == user else {
      throw refused(
        "belongs to another user (\(contents.owner))", "Run: chown \(user) \(path) && chmod 600 \(path).")
    }
    let forbidden: mode_t = contents.owner == 0 ? 0o027 : 0o077
    guard contents.mode & forbidden == 0 else {
      throw refused(
        "open to others (mode 0\(String(contents.mode, radix: 8)))",
        // Of root's file this user sees nothing but through its group.
        contents.owner == user
          ? "Run: chmod 600 \(path)." : "\(Self.groupCommand(path)).")
    }
  }

  /// Lets this process's group, and no other, read a file.
  private static func groupCommand(_ path: String) -> String {
    let group = getgrgid(getegid()).map { String(cString: $0.pointee.gr_name) } ?? "\(getegid())"
    return "Run: chown root:\(group) \(path) && chmod 640 \(path)"
  }

  /// How to replace a token that Box refuses.
  func renewalHint(unit: String) -> String {
    isCredential
      ? "Write a new token into /etc/credstore/\(unit).\(kind.rawValue), or where else the unit's credential comes from, "
        + "then run: systemctl restart \(unit)."
      : "Write a new token into \(path); it is read again by itself."
  }

  private func refused(_ message: String, _ hint: String, isDenied: Bool = false) -> ConfigurationError {
    ConfigurationError("\(kind.rawValue), \(shownPath): \(message)", hint: hint, isDenied: isDenied)
  }
}

extension Configuration {
  /// The secrets this configuration uses: the one of its way to sign in, and the proxy's, which is optional.
  package var secretKinds: [SecretFile.Kind] {
    switch auth.method {
    case .clientCredentials, .oauth2: [.clientSecret, .proxyAuth]
    case .jwt: [.jwtSettings, .proxyAuth]
    case .accessToken: [.accessToken, .proxyAuth]
    }
  }

  /// Reads one secret; nil if the proxy needs none.
  /// - Throws: if a secret that is needed is missing, or can't be read.
  package func secret(
    _ kind: SecretFile.Kind, environment: [String: String]
  ) throws(ConfigurationError) -> Secret<String>? {
    try secretFile(kind, environment: environment)?.read()
  }

  /// Reads every secret, so that one that can't be read is reported at the start.
  /// - Throws: all that can't be read, with paths and remedies.
  package func checkSecrets(environment: [String: String]) throws(ConfigurationError) {
    var problems: [ConfigurationError.Problem] = []
    for kind in secretKinds {
      do {
        _ = try secret(kind, environment: environment)
      } catch {
        problems += error.problems
      }
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
  }

  /// Where a secret is: the unit's credential if there is one, else the configured file; nil if the proxy needs none.
  /// - Throws: if a secret that is needed is missing.
  func secretFile(
    _ kind: SecretFile.Kind, environment: [String: String]
  ) throws(ConfigurationError) -> SecretFile? {
    if let folder = environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/"),
      try FileContents.names(in: folder).contains(kind.rawValue)
    {
      return SecretFile(kind: kind, path: "\(folder)/\(kind.rawValue)", isCredential: true)
    }
    if let path = configuredPath(kind) { return SecretFile(kind: kind, path: path, isCredential: false) }
    if kind == .proxyAuth { return nil }
    let isInService = environment["CREDENTIALS_DIRECTORY"] != nil
    throw ConfigurationError(
      "missing \(kind.rawValue): method \"\(auth.method.rawValue)\" needs it",
      hint: missingHint(kind, inService: isInService))
  }

  private func missingHint(_ kind: SecretFile.Kind, inService: Bool) -> String {
    let source = CredentialSources(unit: unit).source(of: kind)
    // Root has started it by hand: systemd would have passed it on.
    if geteuid() == 0, !inService, source != nil {
      return
        "Only the service sees the unit's credentials. Run: systemctl start \(unit). Or name the secret's file "
        + "with \(kind.fileKey)."
    }
    return
      "Write it into /etc/credstore/\(unit).\(kind.rawValue), where the unit finds it at its next start, or "
      + "name its file with \(kind.fileKey)."
  }

  /// The file that the configuration names for a secret.
  func configuredPath(_ kind: SecretFile.Kind) -> String? {
    ConfigurationKeys.key(of: kind)?.key.secret.flatMap { self[keyPath: $0.path] }
  }
}
