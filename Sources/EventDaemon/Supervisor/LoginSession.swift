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
        hint: "only method = \"oauth2\" needs one; try: box-eventd check --online")
    }
    self.configuration = configuration
    self.environment = environment
    login = OAuthLogin(
      clientID: configuration.auth.clientID ?? "", tokenURL: configuration.box.tokenURL)
  }

  /// Where a person allows the app to read their events.
  package var authorizationURL: String { login.authorizationURL }

  /// Exchanges what the person pasted, a code or the address they were sent to, and stores the
  /// refresh token.
  package func finish(pasted: String) async throws {
    do {
      let code = try login.code(pasted: pasted)
      let secret = try configuration.secret(.clientSecret, environment: environment)
      guard let clientSecret = secret else {
        throw DaemonFailure(
          .configuration, "missing client secret", hint: "Set client_secret_file in [auth].")
      }
      try await withTransport(configuration, environment) { transport in
        let state = try DaemonDirectories.openState(configuration)
        defer { state.close() }
        try await login.finish(
          code: code, clientSecret: clientSecret, endpoint: try TokenEndpoint(transport, configuration),
          store: StoredRefreshToken(state))
      }
    } catch let failure as FeedFailure {
      throw DaemonFailure(
        failure.code == .signInRefused ? .signIn : .unavailable, failure.message,
        hint: failure.hint ?? "try again; if it comes again, try: box-eventd check --online")
    }
  }
}
