import BoxEvents
import NIOHTTP1
import ScriptedHTTP
import Testing

@testable import BoxClient

@Suite struct TransportLimitsTests {
  private func call(_ server: ScriptedServer, maximum: Int = 1 << 20) -> HTTPCall {
    HTTPCall(
      method: .GET, url: Secret(server.origin + "/"), maximumBodyBytes: maximum,
      tooLarge: FeedFailure(.tooLarge, "too large"))
  }

  /// Nobody waits for a body that is announced as too large.
  @Test func anAnnouncedLengthIsEnough() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"), .silence)
    } _: { server in
      try await withTransport {
        $0.readTimeout = .seconds(2)
      } _: { transport in
        let failure = await failure { () throws(FeedFailure) in try await transport.send(call(server)) }
        #expect(failure?.code == .tooLarge)
      }
    }
  }

  @Test func ofAnErrorOnlyTheBeginningIsKept() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(502, String(repeating: "x", count: 300_000))
    } _: { server in
      try await withTransport { transport in
        let answer = try await transport.send(call(server))
        #expect(answer.status == 502)
        #expect(answer.body.count == 64 << 10)
        let small = try await transport.send(call(server, maximum: 100))
        #expect(small.body.count == 100)
      }
    }
  }

  @Test func pollsGoThroughTheProxyToo() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(403)
    } _: { server in
      let proxy = try ProxySettings(setting: server.origin)
      try await withTransport {
        $0.proxy = proxy
      } _: { transport in
        let source = try BoxSource(
          transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
          settings: FeedSettings(apiURL: try webURL("https://api.box.com/2.0")))
        let realtime = RealtimeServer(url: Secret("https://2.realtime.services.box.net/subscribe?channel=c"))
        let failure = await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) }
        #expect(failure?.message == "the proxy refused the connection to 2.realtime.services.box.net")
      }
      let request = try #require(server.requests.first)
      #expect(request.method == "CONNECT")
      #expect(request.target == "2.realtime.services.box.net:443")
      #expect(!request.headers.keys.contains("authorization"))
    }
  }
}
