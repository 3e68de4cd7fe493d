import BoxEvents
import Glibc
import NIOCore
import ScriptedHTTP
import Synchronization
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

  // MARK: Many calls

  /// A queue for connections counts the wait for one as time for connecting, and fails.
  @Test func callsWaitForTheirTurnHoweverLongItTakes() async throws {
    let stages = Shared<[String]>([])
    try await ScriptedServer.run { _, _ in
      Reply(.pause(.seconds(1)), .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    } _: { server in
      try await withTransport {
        $0.callsAtOnce = 2
        // Less than half a minute, which is what the last call waits.
        $0.connectTimeout = .seconds(20)
        $0.requestTimeout = .seconds(300)
      } _: { transport in
        let call = try call(server)
        let answered = await withTaskGroup(of: Bool.self) { group in
          for _ in 0..<60 {
            group.addTask {
              await failure { () throws(FeedFailure) in
                try await transport.send(call) { stage in stages.value.withLock { $0.append(stage.name) } }
              } == nil
            }
          }
          return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(answered == 60)
      }
    }
    let seen = stages.value.withLock { $0 }
    #expect(seen.count { $0 == "ended" } == 60)
    #expect(seen.count { $0 == "began" } > 20)
    #expect(seen.count { $0.hasPrefix("queued") } == seen.count { $0 == "began" })
    #expect(seen.contains("queued 1") && seen.contains("queued 2") && !seen.contains("queued 30"))
  }

  @Test func aCancelledTaskLeavesTheQueueAtOnce() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.silence)
    } _: { server in
      try await withTransport {
        $0.callsAtOnce = 1
      } _: { transport in
        let call = try call(server)
        @Sendable func send() async -> FeedFailure? {
          await failure { () throws(FeedFailure) in try await transport.send(call) }
        }
        let first = Task { await send() }
        await server.waitForRequests(1)
        let second = Task { await send() }
        second.cancel()
        #expect(await second.value?.code == .cancelled)
        first.cancel()
        #expect(await first.value?.code == .cancelled)
        #expect(server.requests.count == 1)
      }
    }
  }

  /// Thousands of streams end at once, in any order, while others go on.
  @Test func aGateNeverLosesATurn() async {
    let gate = CallGate(limit: 3)
    let running = Shared((now: 0, most: 0, runs: 0))
    await withTaskGroup { group in
      for number in 0..<3000 {
        let task = Task {
          guard await gate.enter(onQueued: { _, _ in }) else { return }
          running.value.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
            $0.runs += 1
          }
          await Task.yield()
          running.value.withLock { $0.now -= 1 }
          gate.leave()
        }
        if number % 3 == 0 { group.addTask { task.cancel() } }
        group.addTask { await task.value }
      }
    }
    #expect(running.value.withLock { $0.most } <= 3)
    #expect(running.value.withLock { $0.runs } >= 2000)
    // All turns are free again.
    for _ in 0..<3 { #expect(await gate.enter(onQueued: { _, _ in Issue.record("a turn is lost") })) }
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

extension CallStage {
  fileprivate var name: String {
    switch self {
    case .queued(let rounds, _): "queued \(rounds)"
    case .began: "began"
    case .ended: "ended"
    }
  }
}
