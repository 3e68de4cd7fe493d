package import BoxEvents

/// The secrets the configured way to sign in needs, and the proxy's. Equal if all are the same:
/// a reload with other secrets is noticed by comparing.
package struct Secrets: Hashable, Sendable {
  package var clientSecret: Secret<String>?
  /// The text of Box's JSON settings file.
  package var jwtSettings: Secret<String>?
  package var accessToken: Secret<String>?
  /// `user:password`.
  package var proxyAuth: Secret<String>?

  package init() {}

  /// Reads every secret the configuration needs.
  /// - Throws: all that can't be read, with paths and remedies.
  package init(for configuration: Configuration, environment: [String: String]) throws(ConfigurationError) {
    var problems: [ConfigurationError.Problem] = []
    for kind in configuration.secretKinds {
      do {
        let secret = try configuration.secretFile(kind, environment: environment)?.read()
        switch kind {
        case .clientSecret: clientSecret = secret
        case .jwtSettings: jwtSettings = secret
        case .accessToken: accessToken = secret
        case .proxyAuth: proxyAuth = secret
        }
      } catch {
        problems += error.problems
      }
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
  }
}

extension Configuration {
  /// The secrets this configuration may use; the proxy's only if there is one.
  package var secretKinds: [SecretFile.Kind] {
    let own: SecretFile.Kind =
      switch auth.method {
      case .clientCredentials, .oauth2: .clientSecret
      case .jwt: .jwtSettings
      case .accessToken: .accessToken
      }
    return [own, .proxyAuth]
  }

  /// Where a secret is: the unit's credential if there is one, else the configured file.
  /// - Returns: nil if the proxy needs none.
  /// - Throws: if a secret that is needed is nowhere.
  package func secretFile(
    _ kind: SecretFile.Kind, environment: [String: String]
  ) throws(ConfigurationError) -> SecretFile? {
    if let folder = environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/") {
      let names: [String]
      do {
        names = try FileContents.names(in: folder)
      } catch {
        throw ConfigurationError([.init("\(folder): \(error.message)", hint: error.hint)])
      }
      if names.contains(kind.rawValue) {
        return SecretFile(kind: kind, path: "\(folder)/\(kind.rawValue)", isCredential: true)
      }
    }
    if let path = configuredPath(kind) { return SecretFile(kind: kind, path: path, isCredential: false) }
    if kind == .proxyAuth { return nil }
    let problem = ConfigurationError.Problem(
      "no \(kind.rawValue): method \"\(auth.method.rawValue)\" needs it",
      hint: "name its file with \(kind.key) in [\(kind.table)], or give the unit the credential "
        + "\"\(kind.rawValue)\" (LoadCredential=\(kind.rawValue):/path)")
    throw ConfigurationError([problem])
  }

  /// The file that the configuration names for a secret.
  func configuredPath(_ kind: SecretFile.Kind) -> String? {
    switch kind {
    case .clientSecret: auth.clientSecretFile
    case .jwtSettings: auth.settingsFile
    case .accessToken: auth.accessTokenFile
    case .proxyAuth: box.proxyAuthFile
    }
  }
}
