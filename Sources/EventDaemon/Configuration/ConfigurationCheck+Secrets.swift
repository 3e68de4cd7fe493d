import BoxClient
import BoxEvents
import Glibc

/// The secrets, read as the daemon does.
extension ConfigurationCheck {
  mutating func checkSecrets(
    _ configuration: Configuration, _ environment: [String: String],
    _ credentials: [SecretFile.Kind: CredentialOrigin], _ isReload: Bool
  ) {
    var environment = environment
    var kinds = configuration.secretKinds
    if Self.hidesCredentials(environment) || isReload && environment["CREDENTIALS_DIRECTORY"] == nil {
      environment["CREDENTIALS_DIRECTORY"] = nil
      kinds = kinds.filter { configuration.configuredPath($0) != nil }
      if configuration.secretKinds.contains(where: { $0 != .proxyAuth && !kinds.contains($0) }) {
        add(
          .note, "the unit's credentials can't be seen in a reload: the service itself checks them",
          hint: "The daemon has those of its start; after changing one, restart the service.")
      }
    }
    for kind in kinds {
      do throws(ConfigurationError) {
        let origin = credentials[kind]
        if origin == .unseen {
          noteUnseen(kind, configuration)
          continue
        }
        // The service's credentials, and their stores, are closed to it.
        if isOutside, environment["CREDENTIALS_DIRECTORY"] == nil,
          configuration.configuredPath(kind) == nil
        {
          continue
        }
        guard var file = try configuration.secretFile(kind, environment: environment) else { continue }
        if file.isCredential { file.shownPath = origin?.name ?? "the unit's credential" }
        let secret = try file.read()
        if let (message, hint) = Self.refusal(of: secret, kind, configuration) {
          add(.problem, "\(kind.rawValue), \(file.shownPath): \(message)", hint: hint)
        } else {
          add(.fine, "\(kind.rawValue), from \(file.shownPath)")
        }
        if file.isCredential, configuration.configuredPath(kind) != nil,
          let key = ConfigurationKeys.key(of: kind)?.key.name
        {
          add(
            .note, "\(key) is not used: the unit's credential \(kind.rawValue) wins",
            hint: "Remove the key, or the credential.")
        }
        if file.isCredential, let origin { note(origin, kind, configuration) }
      } catch {
        add(error)
      }
    }
  }

  private mutating func noteUnseen(_ kind: SecretFile.Kind, _ configuration: Configuration) {
    add(
      .note, "\(kind.rawValue): an encrypted credential is seen only while the service runs",
      hint: "Run: systemctl start \(configuration.unit). If it is missing then, the unit lacks "
        + "LoadCredentialEncrypted=: see CREDENTIALS in box-eventd(8).")
  }

  /// Where the running service and its next start may differ.
  private mutating func note(
    _ origin: CredentialOrigin, _ kind: SecretFile.Kind, _ configuration: Configuration
  ) {
    switch origin {
    case .file(_, isNew: true):
      add(
        .note, "\(kind.rawValue): the running service still has the old one",
        hint: "Run: systemctl restart \(configuration.unit).")
    case .service(hasSource: false):
      add(
        .note, "\(kind.rawValue): not in /etc/credstore, where the next start of the service looks for it",
        hint: "Write it into /etc/credstore/\(configuration.unit).\(kind.rawValue), unless the unit has "
          + "another source.")
    case .file, .service, .unseen: break
    }
  }

  /// Some versions of systemd name the folder to the commands of `ExecReload=`, and close it to them; others, such as
  /// 257, don't name it.
  private static func hidesCredentials(_ environment: [String: String]) -> Bool {
    guard let folder = environment["CREDENTIALS_DIRECTORY"] else { return false }
    return access(folder, R_OK | X_OK) != 0 && errno == EACCES
  }

  /// Why a secret can't be used, as signing in finds out before it asks Box.
  private static func refusal(
    of secret: Secret<String>, _ kind: SecretFile.Kind, _ configuration: Configuration
  ) -> (message: String, hint: String?)? {
    do throws(FeedFailure) {
      switch kind {
      case .clientSecret: break  // Checked as it is read.
      case .jwtSettings:
        let settings = try JWTSettings(parsing: secret)
        try settings.checkKey()
        for stream in configuration.streams { _ = try settings.subject(configuration.subject(of: stream)) }
      case .accessToken: _ = try ProvidedToken.token(from: secret)
      case .proxyAuth:
        guard ProxySettings.credentials(from: secret) == nil else { break }
        return ("not user:password", "Write user:password into it.")
      }
      return nil
    } catch {
      return (error.message, error.hint)
    }
  }
}

extension CredentialOrigin {
  /// To follow "from".
  fileprivate var name: String {
    switch self {
    case .file(let path, _): path
    case .service, .unseen: "the running service"
    }
  }
}
