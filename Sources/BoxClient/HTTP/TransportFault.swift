import AsyncHTTPClient
import BoxEvents
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension FeedFailure { static let cancelled = FeedFailure(.cancelled, "cancelled") }

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
    error is Exchange.TooLarge || error as? Decompression.Failure == .tooLarge
  }

  /// The failure in words, without anything that was sent.
  /// - Parameters:
  ///   - server: that was called.
  ///   - settings: with the proxy that the call took, or none.
  static func failure(
    _ error: any Error, _ server: WebURL.Origin, _ settings: TransportSettings
  ) -> FeedFailure {
    let host = PlainText.escaped(server.host)
    let peer = Peer(PlainText.escaped(server.address), settings.proxy)
    return switch error {
    case is CancellationError: .cancelled
    case let error as HTTPClientError where error == .connectTimeout:
      // Also where the proxy or the TLS of the server takes too long.
      Peer(
        PlainText.escaped(server.address) + (settings.proxy.map { " through the proxy \($0.address)" } ?? ""),
        nil
      )
      .cannotConnect("within \(settings.connectTimeout.inWords)")
    case let error as HTTPClientError: client(error, host, settings)
    case let error as NIOConnectionError: connection(error, peer)
    case let error as IOError where error.errnoCode == ETIMEDOUT:
      unreachable("the connection to \(host) is dead: nothing came back on it", .timedOut)
    case let error as IOError where isDeadConnection(error):
      unreachable("\(host): \(text(error.errnoCode))", .closed)
    case let error as IOError: system(error.errnoCode, peer)
    case ChannelError.connectTimeout: peer.cannotConnect("in time")
    case is ChannelError: dropped(host)
    case let error as NIOSSLError: tls(error, host, settings)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      unreachable(
        "the certificate of \(host) names another host",
        hint: "Check the address in [box], and whether something else answers for it.")
    case is NIOSSLExtraError: certificate(host, settings)
    // After the handshake.
    case is BoringSSLError:
      unreachable(
        "the TLS connection to \(host) failed",
        hint:
          "Check whether a proxy or a firewall interrupts TLS, or the server asks for a client's certificate."
      )
    case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection: dropped(host)
    case is HTTPParserError: unreachable("\(host) sent an answer that is not HTTP")
    case is NIOHTTPDecoderError: unreachable("\(host) sent more than one answer to a request")
    case Decompression.Failure.trailingBytes:
      unreachable("\(host) sent bytes after the first gzip member, which is not supported")
    case Decompression.Failure.damaged: unreachable("\(host) sent a damaged compressed answer")
    case Decompression.Failure.noMemory: unreachable("no memory to decompress the answer of \(host)")
    case is Exchange.BodyStalled:
      unreachable("\(host) did not complete its answer within \(settings.pollBodyTimeout.inWords)")
    default: unreachable("the request to \(host) failed: \(type(of: error))")
    }
  }

  private static func client(_ error: HTTPClientError, _ host: String, _ settings: TransportSettings)
    -> FeedFailure
  {
    switch error {
    case .cancelled, .alreadyShutdown: .cancelled
    case .readTimeout: unreachable("\(host) sent nothing for \(settings.readTimeout.inWords)", .timedOut)
    case .deadlineExceeded: unreachable("\(host) did not complete its answer in time", .timedOut)
    case .remoteConnectionClosed, .bodyLengthMismatch, .uncleanShutdown: dropped(host)
    case .getConnectionFromPoolTimeout:
      unreachable("no free connection to \(host) within \(settings.connectTimeout.inWords)")
    case .tlsHandshakeTimeout: unreachable("the TLS handshake with \(host) took too long")
    case .httpProxyHandshakeTimeout: unreachable("the proxy did not answer in time")
    case .proxyAuthenticationRequired:
      unreachable(
        settings.proxy?.credentials == nil
          ? "the proxy asks for a user and password" : "the proxy refused the user and password",
        hint: ProxySettings.authenticationHint(settings.proxy))
    case .invalidProxyResponse:
      unreachable("the proxy refused the connection to \(host)", hint: "Allow CONNECT to it on the proxy.")
    default: unreachable("the request to \(host) failed: \(error.shortDescription)")
    }
  }

  /// What a connection is made to: the server, or the proxy before it.
  private struct Peer {
    let name: String
    let hint: String

    init(_ host: String, _ proxy: ProxySettings?) {
      name = proxy.map { "the proxy \($0.address)" } ?? host
      hint = proxy.map { "Check the network, and the address in \($0.key)." } ?? networkHint
    }

    func cannotConnect(_ why: String) -> FeedFailure {
      unreachable("cannot connect to \(name) \(why)", hint: hint)
    }
  }

  private static func connection(_ error: NIOConnectionError, _ peer: Peer) -> FeedFailure {
    guard let attempt = error.connectionErrors.first else {
      return unreachable("cannot resolve the name of \(peer.name)", hint: "Check DNS. \(peer.hint)")
    }
    guard let cause = attempt.error as? IOError else {
      return unreachable("cannot connect to \(peer.name)", hint: peer.hint)
    }
    return system(cause.errnoCode, peer)
  }

  private static func system(_ code: CInt, _ peer: Peer) -> FeedFailure {
    switch code {
    case ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, EADDRNOTAVAIL:
      unreachable("cannot connect to \(peer.name): \(text(code))", hint: peer.hint)
    default: unreachable("\(peer.name): \(text(code))")
    }
  }

  private static func tls(
    _ error: NIOSSLError, _ host: String, _ settings: TransportSettings
  ) -> FeedFailure {
    switch error {
    case .handshakeFailed(let cause): handshake(String(describing: cause), host, settings)
    case .uncleanShutdown, .readInInvalidTLSState, .writeDuringTLSShutdown, .shutdownFailed: dropped(host)
    default: certificate(host, settings)
    }
  }

  /// - Parameter cause: the TLS library's error, which holds the name of its reason.
  static func handshake(_ cause: String, _ host: String, _ settings: TransportSettings) -> FeedFailure {
    if cause.contains("CERTIFICATE_VERIFY_FAILED") { return certificate(host, settings) }
    // The first where the server refuses this side's versions, the second where it chooses an older one.
    if ["TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"].contains(where: cause.contains) {
      return unreachable(
        "\(host) does not support TLS 1.2 or later",
        hint: "Check the address in [box], and whether a proxy that ends TLS answers for it.")
    }
    // What it has sent is not TLS: the alert of an old version has the same shape.
    if ["WRONG_VERSION_NUMBER", "HTTP_REQUEST"].contains(where: cause.contains) {
      return unreachable(
        "\(host) answers without TLS",
        hint: "Check the address and the port in [box], and whether something else answers there.")
    }
    return unreachable(
      "the TLS handshake with \(host) failed",
      hint: "Check the address in [box], and whether a proxy or a firewall interrupts TLS.")
  }

  /// The TLS library tells neither an unknown authority from a wrong time nor one wrong time from the other. Known hole:
  /// only a verification of our own could.
  private static func certificate(_ host: String, _ settings: TransportSettings) -> FeedFailure {
    unreachable(
      "the certificate of \(host) is not trusted",
      hint: settings.trustRoots == nil
        ? "Check whether it has expired, this machine's clock, and whether the package ca-certificates is installed. "
          + "If a proxy or a private authority signs it, set the authority's certificate as ca_file in [box]."
        : "Check whether it has expired, this machine's clock, and whether ca_file in [box] has the certificate of "
          + "the authority that signs it.")
  }

  private static let networkHint = "Check the network, and the proxy if one is used."

  private static func dropped(_ host: String) -> FeedFailure {
    unreachable("\(host) closed the connection before the answer was complete", .closed)
  }

  private static func unreachable(
    _ message: String, _ interruption: FeedFailure.Interruption? = nil, hint: String? = nil
  ) -> FeedFailure {
    var failure = FeedFailure(.unreachable, message, hint: hint)
    failure.interruption = interruption
    return failure
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
    return attoseconds == 0 ? "\(seconds) s" : "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms"
  }
}
