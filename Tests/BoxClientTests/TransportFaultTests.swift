import AsyncHTTPClient
import BoxEvents
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@testable import BoxClient

@Suite struct TransportFaultTests {
  struct Other: Error {
    let text = "CANARY"
  }

  func failure(_ error: any Error) -> FeedFailure {
    TransportFault.failure(
      error, WebURL.Origin(scheme: .https, host: "api.box.com"), TransportSettings())
  }

  @Test(arguments: [
    (CancellationError() as any Error, "cancelled"),
    (HTTPClientError.cancelled, "cancelled"),
    (HTTPClientError.alreadyShutdown, "cancelled"),
    (HTTPClientError.readTimeout, "api.box.com sent nothing for 60 s"),
    (HTTPClientError.deadlineExceeded, "api.box.com did not complete its answer in time"),
    (
      HTTPClientError.remoteConnectionClosed,
      "api.box.com closed the connection before the answer was complete"
    ),
    (HTTPClientError.uncleanShutdown, "api.box.com closed the connection before the answer was complete"),
    (HTTPClientError.connectTimeout, "cannot connect to api.box.com within 30 s"),
    (HTTPClientError.getConnectionFromPoolTimeout, "no free connection to api.box.com within 30 s"),
    (HTTPClientError.tlsHandshakeTimeout, "the TLS handshake with api.box.com took too long"),
    (HTTPClientError.proxyAuthenticationRequired, "the proxy asks for a user and password"),
    (HTTPClientError.invalidProxyResponse, "the proxy refused the connection to api.box.com"),
    (HTTPClientError.httpProxyHandshakeTimeout, "the proxy did not answer in time"),
    (
      HTTPClientError.invalidHeaderFieldValues(["CANARY"]),
      "the request to api.box.com failed: Invalid header field values"
    ),
    (IOError(errnoCode: ECONNRESET, reason: "CANARY"), "api.box.com: Connection reset by peer"),
    (IOError(errnoCode: EMFILE, reason: "x"), "api.box.com: Too many open files"),
    (ChannelError.ioOnClosedChannel, "api.box.com closed the connection before the answer was complete"),
    (ChannelError.connectTimeout(.seconds(1)), "cannot connect to api.box.com in time"),
    (NIOSSLError.uncleanShutdown, "api.box.com closed the connection before the answer was complete"),
    (NIOSSLError.unableToValidateCertificate, "the certificate of api.box.com is not trusted"),
    (BoringSSLError.sslError([]), "the TLS connection to api.box.com failed"),
    (NIOSSLError.handshakeFailed(.syscallError), "the TLS handshake with api.box.com failed"),
    (NIOSSLExtraError.failedToValidateHostname, "the certificate of api.box.com names another host"),
    (HTTPParserError.invalidEOFState, "api.box.com closed the connection before the answer was complete"),
    (HTTPParserError.invalidConstant, "api.box.com sent an answer that is not HTTP"),
    (Decompression.Failure.damaged, "api.box.com sent a damaged compressed answer"),
    (Decompression.Failure.noMemory, "no memory to decompress the answer of api.box.com"),
    (
      Decompression.Failure.trailingBytes,
      "api.box.com sent bytes after the first gzip member, which is not supported"
    ),
    (
      NIOHTTPDecoderError.unsolicitedResponse,
      "api.box.com sent more than one answer to a request"
    ),
    (Exchange.BodyStalled(), "api.box.com did not complete its answer within 60 s"),
    (Other(), "the request to api.box.com failed: Other"),
  ])
  func explainsEveryError(_ error: any Error, _ message: String) {
    #expect(failure(error).message == message)
    #expect(failure(error).code == (message == "cancelled" ? .cancelled : .unreachable))
  }

  @Test func certificatesAndProxiesHaveHints() {
    #expect(failure(NIOSSLError.unableToValidateCertificate).hint?.contains("ca_file") == true)
    #expect(failure(HTTPClientError.proxyAuthenticationRequired).hint?.contains("proxy_auth_file") == true)
  }

  /// Each with what the TLS library calls it.
  @Test(arguments: [
    ("CERTIFICATE_VERIFY_FAILED", "the certificate of api.box.com is not trusted", "ca_file"),
    ("TLSV1_ALERT_PROTOCOL_VERSION", "api.box.com does not support TLS 1.2 or later", "proxy"),
    ("WRONG_VERSION_NUMBER", "api.box.com answers without TLS", "port"),
    ("SSLV3_ALERT_HANDSHAKE_FAILURE", "the TLS handshake with api.box.com failed", "firewall"),
  ])
  func explainsHandshakes(_ cause: String, _ message: String, _ hint: String) {
    let failure = TransportFault.handshake(
      "sslError([error:1:SSL routines:\(cause)])", "api.box.com", TransportSettings())
    #expect(failure.message == message)
    #expect(failure.hint?.contains(hint) == true)
  }

  @Test func namesTheProxyBehindAFailure() throws {
    var settings = TransportSettings()
    settings.proxy = try ProxySettings(setting: webURL("http://proxy.example"))
    func message(_ error: any Error) -> String {
      TransportFault.failure(error, WebURL.Origin(scheme: .https, host: "api.box.com"), settings).message
    }
    #expect(
      message(IOError(errnoCode: ECONNREFUSED, reason: ""))
        == "cannot connect to the proxy proxy.example:3128: Connection refused")
    #expect(
      message(ChannelError.connectTimeout(.seconds(1)))
        == "cannot connect to the proxy proxy.example:3128 in time")
    #expect(
      message(HTTPClientError.connectTimeout)
        == "cannot connect to api.box.com through the proxy proxy.example:3128 within 30 s")
    #expect(message(HTTPClientError.readTimeout) == "api.box.com sent nothing for 60 s")
  }

  @Test func recognizesAnswersThatAreTooLarge() {
    #expect(TransportFault.isTooLarge(Exchange.TooLarge()))
    #expect(TransportFault.isTooLarge(Decompression.Failure.tooLarge))
    #expect(!TransportFault.isTooLarge(Decompression.Failure.damaged))
  }

  @Test func recognizesDeadConnections() {
    for error in [
      HTTPClientError.remoteConnectionClosed as any Error, IOError(errnoCode: ECONNRESET, reason: ""),
      IOError(errnoCode: EPIPE, reason: ""), ChannelError.ioOnClosedChannel, NIOSSLError.uncleanShutdown,
    ] { #expect(TransportFault.isDeadConnection(error)) }
    for error in [
      HTTPClientError.readTimeout as any Error, HTTPClientError.cancelled,
      IOError(errnoCode: ECONNREFUSED, reason: ""),
      HTTPParserError.invalidEOFState, Other(),
    ] { #expect(!TransportFault.isDeadConnection(error)) }
  }
}
