import BoxEvents
import NIOCore
import ScriptedHTTP
import Testing

@testable import BoxClient

@Suite struct ProxyTests {
  func read(through server: ScriptedServer, credentials: String?) async throws -> FeedFailure? {
    let proxy = try ProxySettings(setting: server.origin, credentials: credentials.map { Secret($0) })
    return try await withTransport {
      $0.proxy = proxy
    } _: { transport in
      let source = try BoxSource(
        transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
        settings: FeedSettings(apiURL: try webURL("https://api.box.com/2.0")))
      return await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
    }
  }

  @Test func trafficGoesThroughTheProxy() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(403)
    } _: { server in
      let failure = try await read(through: server, credentials: "me:CANARY:x")
      #expect(failure?.message == "the proxy refused the connection to api.box.com")
      #expect(!String(describing: failure).contains("CANARY"))
      let request = try #require(server.requests.first)
      #expect(request.method == "CONNECT" && request.target == "api.box.com:443")
      #expect(request.headers["proxy-authorization"] == "Basic bWU6Q0FOQVJZOng=")
      #expect(request.headers["authorization"] == nil)
    }
  }

  @Test func aMissingPasswordIsSaid() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(407)
    } _: { server in
      let failure = try await read(through: server, credentials: nil)
      #expect(failure?.code == .unreachable)
      #expect(failure?.hint == "set proxy_auth_file in [box]")
      #expect(server.requests.first?.headers["proxy-authorization"] == nil)
    }
  }

  @Test func loopbackGoesDirectly() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(403)
    } _: { server in
      let proxy = try ProxySettings(setting: server.origin)
      try await ScriptedServer.run { _, _ in
        .answer(200, BoxSourceTests.page)
      } _: { api in
        try await withTransport {
          $0.proxy = proxy
        } _: { transport in
          _ = try await source(transport, api).read(ReadRequest(position: .now))
        }
      }
      #expect(server.connections == 0)
    }
  }

  @Test func aServerWithoutTLSIsNotSpokenTo() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("HTTP/1.1 400 Bad Request\r\n\r\n"), .close)
    } _: { server in
      try await withTransport {
        $0.connectTimeout = .milliseconds(200)
      } _: { transport in
        let source = try BoxSource(
          transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
          settings: FeedSettings(apiURL: try webURL("https://127.0.0.1:\(server.port)/2.0")))
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(failure?.code == .unreachable)
      }
      #expect(server.requests.isEmpty)
    }
  }
}
