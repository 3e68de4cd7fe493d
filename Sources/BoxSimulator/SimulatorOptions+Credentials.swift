extension SimulatorOptions {
  /// Who may sign in, and with what.
  public struct Credentials: Sendable {
    public var clientID = "simulator-client"
    public var clientSecret = "simulator-secret"
    /// Its own user stream is the service account's, under this same id.
    public var enterpriseID = "456"
    /// Users that exist; the first is the default one. `As-User` with another id is refused.
    public var users = ["123"]
    /// How long access tokens live.
    public var tokenLifetime = Duration.seconds(3600)
    /// Refresh tokens valid at the start, with the user each belongs to.
    public var refreshTokens = ["simulator-refresh-token": "123"]
    /// Authorization codes valid at the start, with their users; each works once.
    public var authorizationCodes = ["simulator-code": "123"]
    /// Access tokens valid at the start and until revoked, with their subjects.
    public var accessTokens = ["simulator-access-token": "123"]
    /// The `kid` an assertion must name.
    public var publicKeyID = SimulatorKey.publicKeyID
    /// PEM of the key that assertions are verified with.
    public var publicKey = SimulatorKey.publicKey
    /// The `aud` an assertion must name; the simulator's own token URL if nil.
    public var audience: String?

    public init() {}

    /// A settings file as Box's developer console hands it out, for the built-in key.
    public var jwtSettings: String {
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
