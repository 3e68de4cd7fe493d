import BoxEvents
import NIOCore
import NIOSSL
import ScriptedHTTP
import TestSystem
import Testing

@testable import BoxClient

/// Shutting down waits for no peer. Every time limit here is ten minutes: a shutdown that waited for one of them
/// would outlast the suite's own.
@Suite(.timeLimit(.minutes(2))) struct ShutdownTests {
  static let connectTimeout = Duration.seconds(600)

  /// Sends a call that can't end by itself, waits until it is under way, shuts the transport down and returns
  /// the call's failure.
  private func shutDown(
    during url: String, _ endpoint: HTTPCall.Endpoint = .events,
    _ adjust: (inout TransportSettings) -> Void = { _ in }, underWay: () async throws -> Void
  ) async throws -> FeedFailure? {
    let call = HTTPCall(endpoint, try webURL(url))
    return try await withTransport {
      $0.connectTimeout = Self.connectTimeout
      $0.readTimeout = Self.connectTimeout
      adjust(&$0)
    } _: { transport in
      let sending = Task { await failure { () throws(FeedFailure) in try await transport.send(call) } }
      try await underWay()
      sending.cancel()
      await transport.shutdown()
      return await sending.value
    }
  }

  @Test func duringATLSHandshakeWithoutAnAnswer() async throws {
    // It takes the greeting for half a request, and waits for the rest.
    let failure = try await ScriptedServer.run { _, _ in
      Reply(.silence)
    } _: { server in
      try await shutDown(during: "https://127.0.0.1:\(server.port)/") {
        await server.waitForConnections(1)
      }
    }
    #expect(failure?.code == .cancelled)
  }

  @Test func duringAConnectThatTheProxyDoesNotAnswer() async throws {
    let failure = try await ScriptedServer.run { _, _ in
      Reply(.silence)
    } _: { server in
      let proxy = try ProxySettings(setting: try webURL(server.origin), credentials: nil)
      return try await shutDown(during: "https://api.example.com/") {
        $0.proxy = proxy
      } underWay: {
        await server.waitForRequests(1)
      }
    }
    #expect(failure?.code == .cancelled)
  }

  @Test func duringAConnectionThatIsNeverMade() async throws {
    let hole = try DeadPort(.ignoring)
    let failure = try await shutDown(during: "http://127.0.0.1:\(hole.port)/") {
      try await Task.sleep(for: .milliseconds(200))
    }
    withExtendedLifetime(hole) {}
    #expect(failure?.code == .cancelled)
  }

  // MARK: Calls that must be answered

  private func tokenCall(_ port: Int) throws -> HTTPCall {
    var call = HTTPCall(.token, try webURL("http://127.0.0.1:\(port)/token"))
    call.mustBeAnswered = true
    return call
  }

  @Test func aCancelledTaskWaitsForTheAnswerOfWhatItHasSent() async throws {
    let isAnswered = try await ScriptedServer.run { _, _ in
      Reply(.pause(.seconds(1)), .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    } _: { server in
      try await withTransport { transport in
        let call = try tokenCall(server.port)
        let sending = Task { try await transport.send(call).status == 200 }
        await server.waitForRequests(1)
        sending.cancel()
        return try await sending.value
      }
    }
    #expect(isAnswered)
  }

  @Test func aCancelledTaskEndsWhatItHasNotSentYet() async throws {
    let hole = try DeadPort(.ignoring)
    let call = try tokenCall(hole.port)
    let outcome = try await withTransport {
      $0.connectTimeout = Self.connectTimeout
    } _: { transport in
      let sending = Task { await failure { () throws(FeedFailure) in try await transport.send(call) } }
      try await Task.sleep(for: .milliseconds(200))
      sending.cancel()
      return await sending.value
    }
    #expect(outcome?.code == .cancelled)
    withExtendedLifetime(hole) {}
  }

  // MARK: Peers that hold the shutdown up

  @Test func duringAPollAtAServerThatHasVanished() async throws {
    let chain = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.loopback.utf8))
    let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)
    let tls = try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
    let roots = try TrustRoots(pem: Array(TestCertificates.authority.utf8), path: "/ca.pem")
    let failure = try await ScriptedServer.run(tls: tls) { _, _ in
      Reply(.vanish)
    } _: { server in
      try await shutDown(during: "\(server.origin)/", .poll(retryTimeout: Self.connectTimeout)) {
        $0.trustRoots = roots
      } underWay: {
        await server.waitForRequests(1)
      }
    }
    #expect(failure?.code == .cancelled)
  }
}
