import AsyncHTTPClient
import BoxEvents
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL

extension FeedFailure {
  static let cancelled = FeedFailure(.cancelled, "cancelled")
}

/// What the errors of the network libraries mean: the one place where they are mapped.
enum TransportFault {
  /// The other side had already closed the connection, or did so before it answered.
  static func isDeadConnection(_ error: any Error) -> Bool {
    switch error {
    case let error as HTTPClientError: error == .remoteConnectionClosed
    case let error as IOError: [ECONNRESET, EPIPE, ENOTCONN, ECONNABORTED].contains(error.errnoCode)
    case let error as ChannelError: error == .ioOnClosedChannel || error == .alreadyClosed || error == .eof
    case let error as NIOSSLError: error == .uncleanShutdown
    default: false
    }
  }

  static func isTooLarge(_ error: any Error) -> Bool {
    error is Exchange.TooLarge || error as? NIOHTTPDecompression.DecompressionError == .limit
  }

  /// A failure for people, without anything that was sent.
  static func failure(_ error: any Error, host: String, settings: TransportSettings) -> FeedFailure {
    let host = PlainText.escaped(host)
    switch error {
    case is CancellationError: return .cancelled
    case let error as HTTPClientError: return client(error, host, settings)
    case let error as NIOConnectionError: return connection(error, host)
    case let error as IOError: return system(error.errnoCode, host)
    case let error as ChannelError: return channel(error, host)
    case let error as NIOSSLError: return tls(error, host)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname: return wrongHost(host)
    case is NIOSSLExtraError, is BoringSSLError: return certificate(host)
    case let error as HTTPParserError: return parser(error, host)
    case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
      return unreachable("\(host) sent a damaged compressed answer")
    case is Exchange.BodyStalled:
      return unreachable("\(host) began an answer and fell silent for \(settings.pollBodyTimeout.inWords)")
    default: return unreachable("the request to \(host) failed: \(type(of: error))")
    }
  }

  private static func client(_ error: HTTPClientError, _ host: String, _ settings: TransportSettings)
    -> FeedFailure
  {
    switch error {
    case .cancelled, .alreadyShutdown: .cancelled
    case .readTimeout: unreachable("\(host) was silent for \(settings.readTimeout.inWords)")
    case .deadlineExceeded: unreachable("\(host) gave no complete answer in time")
    case .remoteConnectionClosed, .bodyLengthMismatch: dropped(host)
    case .uncleanShutdown: dropped(host)
    case .connectTimeout:
      unreachable("no connection to \(host) within \(settings.connectTimeout.inWords)", hint: proxyHint)
    case .getConnectionFromPoolTimeout:
      unreachable("no free connection to \(host) within \(settings.connectTimeout.inWords)")
    case .tlsHandshakeTimeout: unreachable("the TLS handshake with \(host) took too long")
    case .httpProxyHandshakeTimeout: unreachable("the proxy did not answer in time")
    case .proxyAuthenticationRequired:
      unreachable("the proxy asks for a user and password", hint: "set proxy_auth_file in [box]")
    case .invalidProxyResponse:
      unreachable("the proxy refused the connection to \(host)", hint: "the proxy must allow CONNECT to it")
    default: unreachable("the request to \(host) failed: \(error.shortDescription)")
    }
  }

  private static func connection(_ error: NIOConnectionError, _ host: String) -> FeedFailure {
    guard let attempt = error.connectionErrors.first else {
      return unreachable(
        "the name \(PlainText.escaped(error.host)) can't be resolved", hint: "check DNS and the network")
    }
    guard let cause = attempt.error as? IOError else {
      return unreachable("no connection to \(host)", hint: proxyHint)
    }
    return system(cause.errnoCode, host)
  }

  private static func system(_ code: CInt, _ host: String) -> FeedFailure {
    switch code {
    case ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, EADDRNOTAVAIL:
      unreachable("no connection to \(host): \(text(code))", hint: proxyHint)
    default: unreachable("\(host): \(text(code))")
    }
  }

  private static func channel(_ error: ChannelError, _ host: String) -> FeedFailure {
    switch error {
    case .connectTimeout: unreachable("no connection to \(host) in time", hint: proxyHint)
    default: dropped(host)
    }
  }

  private static func tls(_ error: NIOSSLError, _ host: String) -> FeedFailure {
    switch error {
    case .handshakeFailed(let cause):
      String(describing: cause).contains("CERTIFICATE_VERIFY_FAILED")
        ? certificate(host) : unreachable("the TLS handshake with \(host) failed")
    case .uncleanShutdown, .readInInvalidTLSState, .writeDuringTLSShutdown, .shutdownFailed: dropped(host)
    default: certificate(host)
    }
  }

  /// The TLS library doesn't say whether it is the signature or the time.
  private static func certificate(_ host: String) -> FeedFailure {
    unreachable(
      "the certificate of \(host) is not trusted",
      hint: "if a proxy or a private authority signs it, name its certificate as ca_file in [box]; "
        + "if it is the right one, see whether it has expired, and this machine's clock")
  }

  private static func wrongHost(_ host: String) -> FeedFailure {
    unreachable(
      "the certificate of \(host) is another host's",
      hint: "check the address in [box], and whether something else answers for it")
  }

  private static func parser(_ error: HTTPParserError, _ host: String) -> FeedFailure {
    switch error {
    case .invalidEOFState, .closedConnection: dropped(host)
    default: unreachable("\(host) sent an answer that is no HTTP")
    }
  }

  private static let proxyHint = "check the network, and the proxy if there is one"

  private static func dropped(_ host: String) -> FeedFailure {
    unreachable("\(host) closed the connection before the answer was complete")
  }

  private static func unreachable(_ message: String, hint: String? = nil) -> FeedFailure {
    FeedFailure(.unreachable, message, hint: hint)
  }

  /// The C library's words for an `errno`: `Connection refused`.
  private static func text(_ code: CInt) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
  }
}

extension Duration {
  /// `60 s`, `250 ms`.
  var inWords: String {
    let (seconds, attoseconds) = components
    return attoseconds == 0
      ? "\(seconds) s" : "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms"
  }
}
