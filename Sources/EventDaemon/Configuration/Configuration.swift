package import BoxEvents
package import Logging

/// Everything the configuration file says, checked and typed. One nested struct a TOML table.
///
/// The values here are the defaults of the file; `config/box-eventd.toml` documents them and a test
/// keeps the two together.
package struct Configuration: Hashable, Sendable {
  package var box = Box()
  package var auth: Auth
  package var spool = Spool()
  package var state = State()
  package var status = Status()
  package var log = Log()
  /// In the order of the files; at least one, names unique.
  package var streams: [Stream]

  package init(auth: Auth, streams: [Stream]) {
    self.auth = auth
    self.streams = streams
  }

  /// `[box]`: where Box is and how to reach it.
  package struct Box: Hashable, Sendable {
    package var apiURL = WebURL(.init(scheme: .https, host: "api.box.com"), path: "/2.0")
    package var tokenURL = WebURL(.init(scheme: .https, host: "api.box.com"), path: "/oauth2/token")
    /// Hosts a realtime URL may name, on any port.
    package var realtimeHosts = ["*.services.box.net", "*.box.com"].compactMap { HostPattern($0) }
    /// Nil: what `HTTPS_PROXY` and `NO_PROXY` say.
    package var proxy: WebURL?
    /// A file with `user:password`.
    package var proxyAuthFile: String?
    /// A larger answer is refused.
    package var maxPage = ByteCount.mebibytes(64)
    /// Certificates to trust in place of the system's, PEM.
    package var caFile: String?

    package init() {}
  }

  /// `[auth]`: how to sign in.
  package struct Auth: Hashable, Sendable {
    package var method: Method
    /// Never empty where the method needs it: `client-credentials`, `oauth2`.
    package var clientID: String?
    /// Nil where the method knows it by itself.
    package var subject: Subject?
    package var clientSecretFile: String?
    package var settingsFile: String?
    package var accessTokenFile: String?

    package init(method: Method, clientID: String? = nil, subject: Subject? = nil) {
      self.method = method
      self.clientID = clientID
      self.subject = subject
    }

    /// The ways to get an access token.
    package enum Method: String, Hashable, Sendable, CaseIterable {
      case clientCredentials = "client-credentials"
      case jwt
      case oauth2
      case accessToken = "access-token"

      /// Whether a token can be asked for any subject. The others have one owner, fixed by a login.
      package var choosesSubject: Bool {
        switch self {
        case .clientCredentials, .jwt: true
        case .oauth2, .accessToken: false
        }
      }
    }
  }

  /// `[spool]`: where events go and how long they stay.
  package struct Spool: Hashable, Sendable {
    package var directory = "/var/spool/box-eventd"
    package var segmentSize = ByteCount.mebibytes(64)
    /// Zero: no limit.
    package var segmentAge = Duration.seconds(86_400)
    /// Not a key: no segment ends sooner.
    package var minimumSegmentLife = Duration.seconds(10)
    package var keepFree = ByteCount.mebibytes(256)
    /// Zero: keep everything.
    package var maxSize = ByteCount(0)
    /// Zero: keep everything.
    package var maxAge = Duration.zero

    package init() {}
  }

  /// `[state]`: what must survive a restart.
  package struct State: Hashable, Sendable {
    package var directory = "/var/lib/box-eventd"

    package init() {}
  }

  /// `[status]`: how the running daemon is asked.
  package struct Status: Hashable, Sendable {
    package var socket = "/run/box-eventd/status.sock"
    /// Nil: no TCP.
    package var listen: ListenAddress?

    package init() {}
  }

  /// `[log]`.
  package struct Log: Hashable, Sendable {
    package var level = Logger.Level.info

    package init() {}
  }

  /// One `[[stream]]`.
  package struct Stream: Hashable, Sendable {
    /// `[a-z0-9][a-z0-9._-]{0,62}`; names the stream's directories.
    package var name: String
    package var type = StreamType.all
    /// Digits, or nil for the token's own user.
    package var asUser: String?
    /// Nil: `[auth]`'s.
    package var subject: Subject?
    /// Where a stream begins that has never run.
    package var start = ReadPosition.now
    /// Between lookback for late events; nil for none.
    package var lookbackInterval: Duration?

    package init(name: String) {
      self.name = name
    }
  }

  /// Whom a stream's token is asked for; nil where the method's own token has one owner.
  package func subject(of stream: Stream) -> Subject? {
    stream.subject ?? auth.subject
  }
}
