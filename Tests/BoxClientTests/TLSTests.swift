import BoxEvents
import NIOSSL
import ScriptedHTTP
import Testing

@testable import BoxClient

/// Which certificates the client accepts.
@Suite(.timeLimit(.minutes(5))) struct TLSTests {
  static let page = #"{"entries":[],"next_stream_position":7}"#
  static let untrusted = "the certificate of 127.0.0.1 is not trusted"

  /// - Parameter newest: the newest version that the server supports; nil for all.
  private func server(_ certificate: String, newest: TLSVersion? = nil) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
    let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.maximumTLSVersion = newest
    return try NIOSSLContext(configuration: configuration)
  }

  /// The failure of a read; nil if it brought a page.
  /// - Parameters:
  ///   - authority: the contents of `ca_file`.
  ///   - newest: the newest version of TLS that the server supports; nil for all.
  private func read(
    _ certificate: String, trusting authority: String?, newest: TLSVersion? = nil
  ) async throws -> FeedFailure? {
    let roots = try authority.map { try TrustRoots(pem: Array($0.utf8), path: "/ca.pem") }
    return try await ScriptedServer.run(tls: server(certificate, newest: newest)) { _, _ in
      .answer(200, Self.page)
    } _: { server in
      try await withTransport {
        $0.trustRoots = roots
        $0.connectTimeout = .seconds(300)
      } _: { transport in
        let source = try source(transport, server)
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        // Nothing is sent to a server that isn't trusted, least of all the token.
        #expect(server.requests.count == (failure == nil ? 1 : 0))
        return failure
      }
    }
  }

  @Test func trustsAPrivateAuthorityInTheCAFile() async throws {
    let failure = try await read(TestCertificates.loopback, trusting: TestCertificates.authority)
    #expect(failure == nil)
  }

  @Test func refusesAPrivateAuthorityByDefault() async throws {
    let failure = try await read(TestCertificates.loopback, trusting: nil)
    #expect(failure?.code == .unreachable)
    #expect(failure?.message == Self.untrusted)
    #expect(failure?.hint?.contains("set the authority's certificate as ca_file in [box]") == true)
    #expect(failure?.hint?.contains("expired, this machine's clock") == true)
  }

  @Test func trustsASelfSignedCertificateInTheCAFile() async throws {
    let (own, authority) = (TestCertificates.selfSigned, TestCertificates.authority)
    let byDefault = try await read(own, trusting: nil)
    #expect(byDefault?.message == Self.untrusted)
    let named = try await read(own, trusting: own)
    #expect(named == nil)
    let anotherNamed = try await read(own, trusting: authority)
    #expect(anotherNamed?.message == Self.untrusted)
    #expect(anotherNamed?.hint?.contains("whether ca_file in [box] has") == true)
  }

  @Test(arguments: [TestCertificates.expired, TestCertificates.notYetValid])
  func refusesExpiredAndFutureCertificates(certificate: String) async throws {
    let failure = try await read(certificate, trusting: TestCertificates.authority)
    #expect(failure?.message == Self.untrusted)
    #expect(failure?.hint?.contains("clock") == true)
  }

  @Test(arguments: [TLSVersion.tlsv1, .tlsv11])
  func refusesVersionsBefore12(_ newest: TLSVersion) async throws {
    let failure = try await read(
      TestCertificates.loopback, trusting: TestCertificates.authority, newest: newest)
    #expect(failure?.code == .unreachable)
    #expect(failure?.message == "127.0.0.1 does not support TLS 1.2 or later")
    #expect(failure?.hint?.contains("proxy") == true)
  }

  @Test func accepts12() async throws {
    let failure = try await read(
      TestCertificates.loopback, trusting: TestCertificates.authority, newest: .tlsv12)
    #expect(failure == nil)
  }

  @Test func refusesAnotherHostsCertificate() async throws {
    let failure = try await read(TestCertificates.elsewhere, trusting: TestCertificates.authority)
    #expect(failure?.code == .unreachable)
    #expect(failure?.message == "the certificate of 127.0.0.1 names another host")
    #expect(failure?.hint?.contains("address") == true)
  }
}
