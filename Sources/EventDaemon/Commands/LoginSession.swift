import BoxClient
import BoxEvents
import Spool

/// The one-time login of method oauth2: from the printed address to the stored refresh token.
package struct LoginSession: Sendable {
  private let configuration: Configuration
  private let environment: [String: String]
  private let login: OAuthLogin

  /// - Throws: `DaemonFailure` if the configuration's method is another.
  package init(_ configuration: Configuration, environment: [String: String]) throws(DaemonFailure) {
    guard configuration.auth.method == .oauth2 else {
      throw DaemonFailure(
        .configuration, "[auth] method is \"\(configuration.auth.method.rawValue)\", which needs no login",
        hint: "Only method = \"oauth2\" needs one. To try the sign-in, run: box-eventd check --online.")
    }
    self.configuration = configuration
    self.environment = environment
    login = OAuthLogin(clientID: configuration.auth.clientID ?? "", tokenURL: configuration.box.tokenURL)
  }

  /// The page where the account's user allows the application to read its events.
  package var authorizationURL: String { login.authorizationURL }

  /// Exchanges the pasted text, a code or the address the browser was sent to, and stores the refresh token.
  package func finish(pasted: String) async throws {
    do {
      let code = try login.code(pasted: pasted)
      // All of them: the proxy's too, before the code is spent.
      try configuration.checkSecrets(environment: environment)
      guard let clientSecret = try configuration.secret(.clientSecret, environment: environment) else {
        throw DaemonFailure(
          .configuration, "client secret not configured", hint: "Set client_secret_file in [auth].")
      }
      try await BoxTransport.with(configuration, environment) { transport in
        let state = try DaemonDirectories.openState(configuration)
        defer { state.close() }
        try await login.finish(
          code: code, clientSecret: clientSecret, endpoint: try TokenEndpoint(transport, configuration),
          store: try RefreshTokenFile(state))
      }
    } catch let failure as FeedFailure {
      throw DaemonFailure(
        failure.code == .signInRefused ? .signIn : .unavailable, failure.message,
        hint: failure.hint ?? "Try again. If it fails again, run: box-eventd check --online.")
    }
  }
}
