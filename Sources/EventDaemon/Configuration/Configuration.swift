package import BoxEvents
package import Logging

/// What the configuration files set, checked and typed: a nested struct for each TOML table.
///
/// The values here are the defaults, declared nowhere else; ``ConfigurationKeys`` has the keys that set them.
package struct Configuration: Hashable, Sendable {
  package var box = Box()
  package var auth = Auth()
  package var spool = Spool()
  package var state = State()
  package var status = Status()
  package var log = Log()
  /// In the order of the files; at least one, names unique.
  package var streams: [Stream] = []
  /// The unit that runs with it, for hints.
  var unit = "box-eventd"

  /// `[box]`: where Box is and how to reach it.
  package struct Box: Hashable, Sendable {
    package var apiURL = WebURL(.init(scheme: .https, host: "api.box.com"), path: "/2.0")
    package var tokenURL = WebURL(.init(scheme: .https, host: "api.box.com"), path: "/oauth2/token")
    /// Hosts a realtime URL may name, on any port.
    package var realtimeHosts = ["*.services.box.net", "*.box.com"].compactMap { HostPattern($0) }
    /// Nil: as `HTTPS_PROXY` and `NO_PROXY` say.
    package var proxy: WebURL?
    package var proxyAuthFile: String?
    /// Nil: as many as there are.
    package var callsPerMinute: Int?
    package var maxPage = ByteCount.mebibytes(64)
    /// Nil: the system's certificates.
    package var caFile: String?
  }

  /// `[auth]`: how to sign in.
  package struct Auth: Hashable, Sendable {
    package var method = Method.clientCredentials
    /// Never nil where the method needs it: `client-credentials`, `oauth2`.
    package var clientID: String?
    /// Nil where the method doesn't need it.
    package var subject: Subject?
    package var clientSecretFile: String?
    package var settingsFile: String?
    package var accessTokenFile: String?

    /// The ways to get an access token.
    package enum Method: String, Hashable, Sendable, CaseIterable {
      case clientCredentials = "client-credentials"
      case jwt
      case oauth2
      case accessToken = "access-token"
    }
  }

  /// `[spool]`: where events go and how long they stay.
  package struct Spool: Hashable, Sendable {
    package var directory = "/var/spool/box-eventd"
    package var segmentSize = ByteCount.mebibytes(64)
    /// Zero: no limit.
    package var segmentAge = Duration.seconds(86_400)
    package var keepFree = ByteCount.mebibytes(256)
    /// Zero: keep everything.
    package var maxSize = ByteCount(0)
    /// Zero: keep everything.
    package var maxAge = Duration.zero
  }

  /// `[state]`: what must survive a restart.
  package struct State: Hashable, Sendable {
    package var directory = "/var/lib/box-eventd"
  }

  /// `[status]`: how to ask the running daemon.
  package struct Status: Hashable, Sendable {
    package var socket = "/run/box-eventd/status.sock"
    /// Nil: no TCP.
    package var listen: ListenAddress?
  }

  /// `[log]`.
  package struct Log: Hashable, Sendable {
    package var level = Logger.Level.info
  }

  /// One `[[stream]]`.
  package struct Stream: Hashable, Sendable {
    /// `[a-z0-9][a-z0-9._-]{0,62}`; names the stream's directories.
    package var name: String
    package var type = StreamType.all
    /// Digits; nil: the token's own user.
    package var asUser: String?
    /// Nil: the one in `[auth]`.
    package var subject: Subject?
    /// Where a stream begins that has never run.
    package var start = ReadPosition.now
    /// Between two lookbacks for late events; nil: never.
    package var lookbackInterval: Duration?

    /// Whether a text can name a stream and its directories.
    package static func isName(_ text: some StringProtocol) -> Bool {
      func isStart(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      }
      let bytes = text.utf8
      return (1...63).contains(bytes.count) && bytes.first.map(isStart) == true
        && bytes.allSatisfy { isStart($0) || ".-_".utf8.contains($0) }
    }
  }

  /// Whom a stream's token is asked for; nil where the token has one owner, or the JWT settings file decides.
  package func subject(of stream: Stream) -> Subject? { stream.subject ?? auth.subject }
}

// MARK: Instances of the unit template

extension Configuration {
  /// The unit of a configuration file: `box-eventd@NAME` for `/etc/box-eventd/NAME.toml`, which an instance of the
  /// template reads, `box-eventd` for any other.
  package static func unit(of path: String) -> String {
    instance(of: path).map { "box-eventd@\($0)" } ?? "box-eventd"
  }

  package static let defaultPath = "/etc/box-eventd/box-eventd.toml"

  /// The command that checks a configuration file, for hints.
  package static func checkCommand(of path: String) -> String { command("check", of: path) }

  /// A command for a configuration file, for hints.
  static func command(_ name: String, of path: String) -> String {
    "box-eventd \(name)" + (path == defaultPath ? "" : " --config \(path)")
  }

  /// The directories of an instance of the unit template, as variables of its environment; empty for any other file.
  /// systemd sets them only for the service itself; with these a command in a shell finds the instance too.
  static func instanceEnvironment(of path: String) -> [String: String] {
    guard instance(of: path) != nil else { return [:] }
    let unit = unit(of: path)
    return [
      "SPOOL_DIRECTORY": "/var/spool/\(unit)", "STATE_DIRECTORY": "/var/lib/\(unit)",
      "RUNTIME_DIRECTORY": "/run/\(unit)",
    ]
  }

  /// `StateDirectory=` of the main unit; all directories of an instance.
  static func directoriesMadeByUnit(of path: String) -> Set<String> {
    path == defaultPath ? ["/var/lib/box-eventd"] : Set(instanceEnvironment(of: path).values)
  }

  private static func instance(of path: String) -> Substring? {
    let folder = "/etc/box-eventd/"
    guard path.hasPrefix(folder), path.hasSuffix(".toml") else { return nil }
    let name = path.dropFirst(folder.count).dropLast(".toml".count)
    return name.isEmpty || name == "box-eventd" || name.contains("/") ? nil : name
  }
}
