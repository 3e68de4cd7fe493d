/// The keys of the configuration file: each is declared here, and only here.
///
/// An entry drives reading, messages, the nearest key, `check` and what a reload takes over. `Sources/README.md`, "How
/// to add a configuration key", has the steps.
enum ConfigurationKeys {
  private typealias Key = ConfigurationKey

  /// In the order of `config/box-eventd.toml`.
  static let tables = [auth, stream, box, spool, state, status, log]

  private static let auth = ConfigurationTable(
    "auth",
    Key("method", \.auth.method, .word, "How to get an access token."),
    Key(
      "client_id", \.auth.clientID, .optional(.clientID, isAdvised: false), "The client id of your Box app."),
    Key("subject", \.auth.subject, .optional(.subject), "Whose token to ask for."),
    Key(
      "client_secret_file", \.auth.clientSecretFile, secret: .clientSecret, insteadOf: ["client_secret"],
      "The file with the client secret of your Box app."),
    Key(
      "settings_file", \.auth.settingsFile, secret: .jwtSettings,
      insteadOf: ["settings", "jwt_settings", "private_key", "passphrase"],
      "The JSON settings file from Box's developer console, for method \"jwt\"."),
    Key(
      "access_token_file", \.auth.accessTokenFile, secret: .accessToken, insteadOf: ["access_token"],
      "The file with the access token, for method \"access-token\"."))

  private static let stream = ConfigurationTable(
    "stream", isArray: true,
    Key(
      "name", ofStream: \.name, .streamName,
      "Names the stream's directories in the spool and the state directory, and its metrics."),
    Key("type", ofStream: \.type, .word, "Which events to collect."),
    Key("as_user", ofStream: \.asUser, .optional(.userID), "The id of another user whose events to read."),
    Key("subject", ofStream: \.subject, .optional(.subject), "Another subject than the one in [auth]."),
    Key(
      "start", ofStream: \.start, .startPosition, "Where the stream begins when it runs for the first time."),
    Key(
      "overlap_check", ofStream: \.lookbackInterval, .interval(.seconds(10)...(.seconds(7 * 86_400))),
      "How often to read recent events again (a lookback), because Box may show an event late, at a position "
        + "that was read already."))

  private static let box = ConfigurationTable(
    "box",
    Key("api_url", \.box.apiURL, .confidentialURL, "The URL of Box's API."),
    Key("token_url", \.box.tokenURL, .confidentialURL, "The URL that issues access tokens."),
    Key("realtime_hosts", \.box.realtimeHosts, .hosts, "The hosts a realtime server may have."),
    Key("proxy", \.box.proxy, .optional(.proxyURL), "An HTTP proxy for all calls, with its port."),
    Key(
      "proxy_auth_file", \.box.proxyAuthFile, secret: .proxyAuth,
      insteadOf: ["proxy_auth", "proxy_password"],
      "The file with user:password for the proxy."),
    Key(
      "calls_per_minute", \.box.callsPerMinute, .count(1...60_000),
      "How many calls a minute all streams may make together."),
    Key(
      "max_page", \.box.maxPage, .size(.kibibytes(64)...(.gibibytes(1)), example: "64MiB"),
      "The largest answer to accept, decompressed."),
    Key("ca_file", \.box.caFile, .optional(.absolutePath), "A file of certificates to trust, in PEM form."))

  private static let spool = ConfigurationTable(
    "spool",
    Key(
      "directory", \.spool.directory, .absolutePath.unitDefault("SPOOL_DIRECTORY"),
      "The directory of the spool."),
    Key(
      "segment_size", \.spool.segmentSize, .size(.kibibytes(1)...(.tebibytes(1)), example: "64MiB"),
      "The size at which a new segment begins."),
    Key(
      "segment_age", \.spool.segmentAge, .age, "The age at which a new segment begins with the next event."),
    Key(
      "keep_free", \.spool.keepFree, .size(ByteCount(0)...(.tebibytes(1_024)), example: "256MiB"),
      "Space to leave free on the spool's file system."),
    Key(
      "max_size", \.spool.maxSize, .size(.kibibytes(1)...(.tebibytes(1_024)), example: "10GiB", orZero: true),
      "How much of each stream's finished segments to keep."),
    Key("max_age", \.spool.maxAge, .age, "How long to keep finished segments."))

  private static let state = ConfigurationTable(
    "state",
    Key(
      "directory", \.state.directory, .absolutePath.unitDefault("STATE_DIRECTORY"),
      "The directory of the positions and the OAuth 2 tokens."))

  private static let status = ConfigurationTable(
    "status",
    Key(
      "socket", \.status.socket, .socketPath.unitDefault("RUNTIME_DIRECTORY", file: "status.sock"),
      "A Unix socket, for \"box-eventd status\" and the members of its group."),
    Key(
      "listen", \.status.listen, .optional(.listenAddress), "An address and port to serve the same over TCP.")
  )

  private static let log = ConfigurationTable(
    "log", Key("level", \.log.level, .word, isReloaded: true, "The least severe level to log."))

  static func table(_ name: String) -> ConfigurationTable? { tables.first { $0.name == name } }

  /// The key that names the file of a secret, with its table.
  static func key(of secret: SecretFile.Kind) -> (table: ConfigurationTable, key: ConfigurationKey)? {
    tables.lazy.flatMap { table in table.keys.map { (table, $0) } }.first { $0.1.secret?.kind == secret }
  }
}

/// A table of the file.
struct ConfigurationTable: Sendable {
  let name: String
  /// It may occur many times.
  let isArray: Bool
  let keys: [ConfigurationKey]

  init(_ name: String, isArray: Bool = false, _ keys: ConfigurationKey...) {
    self.name = name
    self.isArray = isArray
    self.keys = keys
  }

  /// `[name]`, or `[[name]]` for an array.
  var header: String { isArray ? "[[\(name)]]" : "[\(name)]" }
  var keyNames: [String] { keys.map(\.name) }
}
