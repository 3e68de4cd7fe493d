public import BoxEvents
public import Logging

/// Everything the configuration file says, checked and typed. One nested struct a TOML table.
///
/// The values here are the defaults of the file; `config/box-eventd.toml` documents them and a test
/// keeps the two together.
public struct Configuration: Hashable, Sendable {
  public var box = Box()
  public var auth: Auth
  public var spool = Spool()
  public var state = State()
  public var status = Status()
  public var log = Log()
  /// In the order of the files; at least one, names unique.
  public var streams: [Stream]

  public init(auth: Auth, streams: [Stream]) {
    self.auth = auth
    self.streams = streams
  }

  /// `[box]`: where Box is and how to reach it.
  public struct Box: Hashable, Sendable {
    public var apiURL = WebURL(.init(scheme: .https, host: "api.box.com"), path: "/2.0")
    public var tokenURL = WebURL(.init(scheme: .https, host: "api.box.com"), path: "/oauth2/token")
    /// Hosts a realtime URL may name, on any port.
    public var realtimeHosts = ["*.services.box.net", "*.box.com"].compactMap { HostPattern($0) }
    /// Nil: what `HTTPS_PROXY` and `NO_PROXY` say.
    public var proxy: WebURL?
    /// A file with `user:password`.
    public var proxyAuthFile: String?
    /// A larger answer is refused.
    public var maxPage = ByteCount.mebibytes(64)
    /// Certificates to trust in place of the system's, PEM.
    public var caFile: String?

    public init() {}
  }

  /// `[auth]`: how to sign in.
  public struct Auth: Hashable, Sendable {
    public var method: Method
    /// Never empty where the method needs it: `client-credentials`, `oauth2`.
    public var clientID: String?
    /// Nil where the method knows it by itself.
    public var subject: Subject?
    public var clientSecretFile: String?
    public var settingsFile: String?
    public var accessTokenFile: String?

    public init(method: Method, clientID: String? = nil, subject: Subject? = nil) {
      self.method = method
      self.clientID = clientID
      self.subject = subject
    }

    /// The ways to get an access token.
    public enum Method: String, Hashable, Sendable, CaseIterable {
      case clientCredentials = "client-credentials"
      case jwt
      case oauth2
      case accessToken = "access-token"

      /// Whether a token can be asked for any subject. The others have one owner, fixed by a login.
      public var choosesSubject: Bool {
        switch self {
        case .clientCredentials, .jwt: true
        case .oauth2, .accessToken: false
        }
      }
    }
  }

  /// `[spool]`: where events go and how long they stay.
  public struct Spool: Hashable, Sendable {
    public var directory = "/var/spool/box-eventd"
    public var segmentSize = ByteCount.mebibytes(64)
    /// Zero: no limit.
    public var segmentAge = Duration.seconds(86_400)
    /// Not a key: no segment ends sooner.
    public var minimumSegmentLife = Duration.seconds(10)
    public var keepFree = ByteCount.mebibytes(256)
    /// Zero: keep everything.
    public var maxSize = ByteCount(0)
    /// Zero: keep everything.
    public var maxAge = Duration.zero

    public init() {}
  }

  /// `[state]`: what must survive a restart.
  public struct State: Hashable, Sendable {
    public var directory = "/var/lib/box-eventd"

    public init() {}
  }

  /// `[status]`: how the running daemon is asked.
  public struct Status: Hashable, Sendable {
    public var socket = "/run/box-eventd/status.sock"
    /// Nil: no TCP.
    public var listen: ListenAddress?

    public init() {}
  }

  /// `[log]`.
  public struct Log: Hashable, Sendable {
    public var level = Logger.Level.info

    public init() {}
  }

  /// One `[[stream]]`.
  public struct Stream: Hashable, Sendable {
    /// `[a-z0-9][a-z0-9._-]{0,62}`; names the stream's directories.
    public var name: String
    public var type = StreamType.all
    /// Digits, or nil for the token's own user.
    public var asUser: String?
    /// Nil: `[auth]`'s.
    public var subject: Subject?
    /// Where a stream begins that has never run.
    public var start = ReadPosition.now
    /// Between lookback for late events; nil for none.
    public var lookbackInterval: Duration?

    public init(name: String) {
      self.name = name
    }
  }

  /// Whom a stream's token is asked for; nil where the method's own token has one owner.
  public func subject(of stream: Stream) -> Subject? {
    stream.subject ?? auth.subject
  }
}
