extension SimulatorOptions {
  /// Who may sign in, and with what.
  package struct Credentials: Sendable {
    package var clientID = "simulator-client"
    package var clientSecret = "simulator-secret"
    /// Its own user stream is the service account's, under this same id.
    package var enterpriseID = "456"
    /// Users that exist; the first is the default one. `As-User` with another id is refused.
    package var users = ["123"]
    /// How long access tokens live.
    package var tokenLifetime = Duration.seconds(3600)
    /// Refresh tokens valid at the start, with the user each belongs to.
    package var refreshTokens = ["simulator-refresh-token": "123"]
    /// Authorization codes valid at the start, with their users; each works once.
    package var authorizationCodes = ["simulator-code": "123"]
    /// Access tokens valid at the start and until revoked, with their subjects.
    package var accessTokens = ["simulator-access-token": "123"]
    /// The `kid` an assertion must name.
    package var publicKeyID = SimulatorKey.publicKeyID
    /// PEM of the key that assertions are verified with.
    package var publicKey = SimulatorKey.publicKey
    /// The `aud` an assertion must name; the simulator's own token URL if nil.
    package var audience: String?

    package init() {}

    /// A settings file as Box's developer console hands it out, for the built-in key.
    package var jwtSettings: String {
      let key = SimulatorKey.encryptedPrivateKey.split(separator: "\n").joined(separator: "\\n") + "\\n"
      return """
        {
          "boxAppSettings": {
            "clientID": \(JSONWriter.string(clientID)),
            "clientSecret": \(JSONWriter.string(clientSecret)),
            "appAuth": {
              "publicKeyID": \(JSONWriter.string(publicKeyID)),
              "privateKey": "\(key)",
              "passphrase": \(JSONWriter.string(SimulatorKey.passphrase))
            }
          },
          "enterpriseID": \(JSONWriter.string(enterpriseID))
        }

        """
    }
  }
}
