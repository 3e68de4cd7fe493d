import BoxClient
import BoxEvents
import Glibc

/// Secrets: each can be read, and looks like what it should be.
extension ConfigurationCheck {
  mutating func checkSecrets(_ configuration: Configuration, _ environment: [String: String]) {
    var environment = environment
    let areHidden = Self.hidesCredentials(environment)
    if areHidden { environment["CREDENTIALS_DIRECTORY"] = nil }
    if areHidden,
      configuration.secretKinds.contains(where: {
        $0 != .proxyAuth && configuration.configuredPath($0) == nil
      })
    {
      note(
        "the unit's credentials can't be seen in a reload",
        hint: "the daemon has those of its start; after changing one, restart the service")
    }
    for kind in configuration.secretKinds where !areHidden || configuration.configuredPath(kind) != nil {
      do {
        guard let file = try configuration.secretFile(kind, environment: environment) else { continue }
        let secret = try file.read()
        let before = findings.count
        checkContents(of: file, secret, configuration)
        if findings.count == before {
          fine("\(kind.rawValue), from \(file.isCredential ? "the unit's credential" : file.path)")
        }
      } catch {
        add(error)
      }
    }
  }

  /// systemd names the folder to the commands of `ExecReload=`, and closes it to them.
  private static func hidesCredentials(_ environment: [String: String]) -> Bool {
    guard let folder = environment["CREDENTIALS_DIRECTORY"] else { return false }
    return access(folder, R_OK | X_OK) != 0 && errno == EACCES
  }

  private mutating func checkContents(
    of file: SecretFile, _ secret: Secret<String>, _ configuration: Configuration
  ) {
    switch file.kind {
    case .jwtSettings: checkSettings(file, secret, configuration)
    case .proxyAuth:
      let name = secret.reveal().prefix { $0 != ":" }
      if name.isEmpty || name.count == secret.reveal().count {
        problem("\(file.kind.rawValue), \(file.path): not user:password", hint: "write user:password into it")
      }
    case .clientSecret, .accessToken:
      if secret.reveal().utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) {
        problem(
          "\(file.kind.rawValue), \(file.path): holds spaces or other characters no secret has",
          hint: "leave only the secret in it")
      }
    }
  }

  /// The settings file, its key and every stream's subject, as signing in reads them.
  private mutating func checkSettings(
    _ file: SecretFile, _ secret: Secret<String>, _ configuration: Configuration
  ) {
    do throws(FeedFailure) {
      let settings = try JWTSettings(parsing: secret)
      try settings.checkKey()
      for stream in configuration.streams { _ = try settings.subject(configuration.subject(of: stream)) }
    } catch {
      problem("\(file.kind.rawValue), \(file.path): \(error.message)", hint: error.hint)
    }
  }

  /// Keys that are set and do nothing with this method.
  mutating func checkUnused(_ configuration: Configuration) {
    let files: [(kind: SecretFile.Kind, path: String?)] = [
      (.clientSecret, configuration.auth.clientSecretFile),
      (.jwtSettings, configuration.auth.settingsFile),
      (.accessToken, configuration.auth.accessTokenFile),
    ]
    for file in files where file.path != nil && !configuration.secretKinds.contains(file.kind) {
      note(
        "\(file.kind.key) is not used: method is \"\(configuration.auth.method.rawValue)\"",
        hint: "remove it, or choose the method it belongs to")
    }
  }
}
