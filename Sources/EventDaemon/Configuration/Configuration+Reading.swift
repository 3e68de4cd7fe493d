import BoxEvents
import Logging

extension Configuration {
  /// Reads the configuration file, and `*.toml` in the folder named like it with `.d`.
  ///
  /// - Parameters:
  ///   - path: the main file, usually `/etc/box-eventd/box-eventd.toml`.
  ///   - environment: where systemd names the directories it made; see systemd.exec(5),
  ///     "RuntimeDirectory=".
  /// - Throws: all that is wrong, each with file and line, and what to do.
  package static func load(
    _ path: String, environment: [String: String]
  ) throws(ConfigurationError) -> Configuration {
    let environment = environment.merging(instanceEnvironment(of: path)) { given, _ in given }
    return try Configuration(files: ConfigurationFile.readAll(path), environment: environment)
  }

  /// Reads a configuration from the texts of its files, the main file first.
  package init(files: [ConfigurationFile], environment: [String: String]) throws(ConfigurationError) {
    let source = ConfigurationSource(files)
    var reader = ConfigurationReader(source)
    let streams = reader.streams(source)
    self.init(auth: reader.auth(source, streams.map(\.stream)), streams: streams.map(\.stream))
    box = reader.box(source.table("box"))
    spool = reader.spool(source.table("spool"), environment)
    state = reader.state(source.table("state"), environment)
    status = reader.status(source.table("status"), environment)
    log.level = reader.word(source.table("log"), "level") ?? log.level
    reader.checkTogether(self, source, streams)
    try reader.check()
  }
}

extension ConfigurationReader {
  typealias Table = ConfigurationSource.Table

  fileprivate mutating func box(_ table: Table) -> Configuration.Box {
    var box = Configuration.Box()
    box.apiURL = url(table, "api_url") ?? box.apiURL
    box.tokenURL = url(table, "token_url") ?? box.tokenURL
    box.realtimeHosts = hosts(table) ?? box.realtimeHosts
    box.proxy = proxy(table)
    box.proxyAuthFile = optionalPath(table, "proxy_auth_file")
    box.maxPage =
      size(table, "max_page", example: "64MiB", in: .kibibytes(64)...(.gibibytes(1))) ?? box.maxPage
    box.caFile = optionalPath(table, "ca_file")
    return box
  }

  fileprivate mutating func spool(_ table: Table, _ environment: [String: String]) -> Configuration.Spool {
    var spool = Configuration.Spool()
    let all = ByteCount(0)...(.tebibytes(1_024))
    spool.directory =
      path(table, "directory") ?? Self.directory("SPOOL_DIRECTORY", environment) ?? spool.directory
    spool.segmentSize =
      size(table, "segment_size", example: "64MiB", in: .kibibytes(1)...(.tebibytes(1)))
      ?? spool.segmentSize
    spool.segmentAge = age(table, "segment_age") ?? spool.segmentAge
    spool.keepFree = size(table, "keep_free", example: "256MiB", in: all) ?? spool.keepFree
    spool.maxSize =
      size(table, "max_size", example: "10GiB", in: .kibibytes(1)...all.upperBound, orZero: true)
      ?? spool.maxSize
    spool.maxAge = age(table, "max_age") ?? spool.maxAge
    return spool
  }

  fileprivate mutating func state(_ table: Table, _ environment: [String: String]) -> Configuration.State {
    var state = Configuration.State()
    state.directory =
      path(table, "directory") ?? Self.directory("STATE_DIRECTORY", environment) ?? state.directory
    return state
  }

  fileprivate mutating func status(_ table: Table, _ environment: [String: String]) -> Configuration.Status {
    var status = Configuration.Status()
    // sockaddr_un holds 108 bytes, the last of them NUL: unix(7).
    let socket = text(table, "socket", allowed: "an absolute path of at most 107 bytes") { text in
      Self.absolutePath(text).flatMap { $0.utf8.count <= 107 ? $0 : nil }
    }
    let runtime = Self.directory("RUNTIME_DIRECTORY", environment).map { "\($0)/status.sock" }
    status.socket = socket ?? runtime ?? status.socket
    let address = "an address and a port, such as \"127.0.0.1:9464\""
    status.listen = optional(table, "listen", allowed: address) { ListenAddress($0) }
    return status
  }

  fileprivate mutating func auth(
    _ source: ConfigurationSource, _ streams: [Configuration.Stream]
  ) -> Configuration.Auth {
    let table = source.table("auth")
    var auth = Configuration.Auth(method: word(table, "method") ?? .clientCredentials)
    auth.clientID = optional(table, "client_id", allowed: "the client id of your Box app") { text in
      text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } ? text : nil
    }
    auth.subject = optional(table, "subject", allowed: Self.subjectWords) { Subject($0) }
    auth.clientSecretFile = optionalPath(table, "client_secret_file")
    auth.settingsFile = optionalPath(table, "settings_file")
    auth.accessTokenFile = optionalPath(table, "access_token_file")
    return auth
  }

  fileprivate mutating func streams(
    _ source: ConfigurationSource
  ) -> [(stream: Configuration.Stream, table: Table)] {
    source.streams.map { table in
      var stream = Configuration.Stream(name: name(table))
      stream.type = word(table, "type") ?? stream.type
      let user = "a Box user's id, digits in quotes, such as \"123\""
      stream.asUser = optional(table, "as_user", allowed: user) { Subject.isID($0) ? $0 : nil }
      stream.subject = optional(table, "subject", allowed: Self.subjectWords) { Subject($0) }
      let start = "\"now\", \"oldest\" or a position, digits in quotes"
      stream.start = text(table, "start", allowed: start) { ReadPosition($0) } ?? stream.start
      stream.lookbackInterval = lookbackInterval(table)
      return (stream, table)
    }
  }

  /// Each lookback costs calls, so not all the time; and Box is never later than days.
  private mutating func lookbackInterval(_ table: Table) -> Duration? {
    let allowed = "a time from 10s to 7d, such as \"1h\", or \"0\" for none"
    let bounds = Duration.seconds(10)...(.seconds(7 * 86_400))
    let value = read(table, "overlap_check", allowed: allowed) { node in
      switch node {
      case .string(let text):
        Duration(configured: text).flatMap { $0 == .zero || bounds.contains($0) ? $0 : nil }
      case .integer(let number): number == 0 ? .zero : nil
      case .boolean, .array, .table, .other: nil
      }
    }
    return value == .zero ? nil : value
  }

  private static var subjectWords: String { "\"user:ID\" or \"enterprise:ID\", the id in digits" }

  /// The first directory of a variable that systemd sets; it may hold several.
  private static func directory(_ variable: String, _ environment: [String: String]) -> String? {
    environment[variable]?.split(separator: ":").first.flatMap { absolutePath(String($0)) }
  }

  private mutating func name(_ table: Table) -> String {
    let allowed = "1 to 63 of a-z, 0-9, \".\", \"_\" and \"-\", the first a letter or digit"
    guard table.settings["name"] != nil else {
      report(table.location, "a [[stream]] without a name", hint: "add a line: name = \"default\"")
      return ""
    }
    return text(table, "name", allowed: allowed) { Configuration.Stream.isName($0) ? $0 : nil } ?? ""
  }
}

extension ConfigurationReader {
  private mutating func hosts(_ table: Table) -> [HostPattern]? {
    let allowed = "a list of hosts, such as [\"*.box.com\"], without scheme or port"
    return read(table, "realtime_hosts", allowed: allowed) { node in
      guard case .array(let elements) = node, !elements.isEmpty else { return nil }
      let hosts: [HostPattern] = elements.compactMap {
        if case .string(let text) = $0 { HostPattern(text) } else { nil }
      }
      return hosts.count == elements.count ? hosts : nil
    }
  }

  /// https, or http to this machine.
  private mutating func url(_ table: Table, _ key: String) -> WebURL? {
    guard !reportUser(table, key, "remove the user and password: the daemon signs in with [auth]") else {
      return nil
    }
    let allowed = "a URL beginning with https:// (http:// only to this machine), without query or fragment"
    return text(table, key, allowed: allowed) { text in
      Self.serverURL(text).flatMap { $0.isConfidential ? $0 : nil }
    }
  }

  private mutating func proxy(_ table: Table) -> WebURL? {
    guard !reportUser(table, "proxy", "put user:password into a file and name it with proxy_auth_file")
    else { return nil }
    let allowed = "the proxy's URL with its port, such as \"http://proxy.example:3128\""
    return optional(table, "proxy", allowed: allowed) { text in
      Self.serverURL(text).flatMap { $0.scheme == .http && $0.hasPort && $0.target == "/" ? $0 : nil }
    }
  }

  /// The URL of a server, perhaps with a path; no query, no fragment.
  private static func serverURL(_ text: String) -> WebURL? {
    text.contains("?") || text.contains("#") ? nil : WebURL(text)?.removingTrailingSlashes()
  }

  /// A user and password in a URL: reported without showing them.
  private mutating func reportUser(_ table: Table, _ key: String, _ hint: String) -> Bool {
    guard let setting = table.settings[key], case .string(let text) = setting.node, text.contains("@") else {
      return false
    }
    report(setting.location, "\(key) in [\(table.name)] holds a user or password", hint: hint)
    return true
  }
}

extension Configuration.Stream {
  /// Whether text can name a stream and its directories.
  package static func isName(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    return (1...63).contains(bytes.count)
      && bytes.allSatisfy {
        isNameStart($0) || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains($0)
      }
      && bytes.first.map(isNameStart) == true
  }

  private static func isNameStart(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
