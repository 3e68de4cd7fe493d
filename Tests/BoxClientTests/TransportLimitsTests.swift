import BoxEvents
import Glibc
import ScriptedHTTP
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct TransportLimitsTests {
  private func call(_ server: ScriptedServer) throws -> HTTPCall {
    HTTPCall(.events, try webURL(server.origin + "/"))
  }

  @Test func doesNotWaitForABodyAnnouncedAsTooLarge() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"), .silence)
    } _: { server in
      try await withTransport {
        $0.readTimeout = .seconds(20)
        $0.maximumPageBytes = 1 << 20
      } _: { transport in
        let call = try call(server)
        let failure = await failure { () throws(FeedFailure) in try await transport.send(call) }
        #expect(failure?.code == .tooLarge)
      }
    }
  }

  @Test(arguments: [(1 << 20, 64 << 10), (100, 100)])
  func keepsTheBeginningOfAnError(maximumPage: Int, kept: Int) async throws {
    try await ScriptedServer.run { _, _ in
      .answer(502, String(repeating: "x", count: 300_000))
    } _: { server in
      try await withTransport {
        $0.maximumPageBytes = maximumPage
      } _: { transport in
        let answer = try await transport.send(call(server))
        #expect(answer.status == 502)
        #expect(answer.body.count == kept)
      }
    }
  }

  @Test func sendsPollsThroughTheProxy() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(403)
    } _: { server in
      let proxy = try ProxySettings(setting: webURL(server.origin))
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

  // MARK: Many polls

  /// Client and server run in this process: two descriptors a poll.
  func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  @Test func aThousandPollsLeaveReadsUnaffected() async throws {
    raiseDescriptorLimit()
    let count = 1000
    try await ScriptedServer.run { request, _ in
      request.target.hasPrefix("/s") ? Reply(.silence) : .answer(200, BoxSourceTests.page)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let realtime = RealtimeServer(url: Secret(server.origin + "/s?channel=c"))
        let outcomes = await withTaskGroup(of: FeedFailure.Code?.self) { group in
          for _ in 0..<count {
            group.addTask {
              await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) }?.code
            }
          }
          await server.waitForRequests(count)
          #expect(server.connections == count)
          let read = await failure { () throws(FeedFailure) in
            try await source.read(ReadRequest(position: .now))
          }
          #expect(read == nil)
          group.cancelAll()
          return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(outcomes == [.cancelled])
      }
    }
  }
}
