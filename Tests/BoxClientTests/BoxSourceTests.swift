import BoxEvents
import NIOCore
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct BoxSourceTests {
  static let page = #"{"entries":[],"next_stream_position":7}"#

  // MARK: Reads

  @Test func sendsTheReadRequest() async throws {
    let position = try #require(StreamPosition("1152922976252290886"))
    try await ScriptedServer.run { _, _ in
      .answer(200, Self.page, headers: ["dAtE: Sun, 06 Nov 1994 08:49:37 GMT", "BOX-REQUEST-ID: abc"])
    } _: { server in
      try await withTransport { transport in
        let answer = try await source(transport, server, asUser: "42").read(
          ReadRequest(position: .at(position), limit: 50))
        #expect(answer.body == Array(Self.page.utf8))
        #expect(answer.date == BoxTime(secondsSince1970: 784_111_777))
        #expect(answer.requestID == "abc")
      }
      let request = try #require(server.requests.first)
      #expect(request.method == "GET")
      #expect(request.target == "/2.0/events?stream_position=1152922976252290886&stream_type=all&limit=50")
      #expect(request.headers["authorization"] == "Bearer token-1")
      #expect(request.headers["as-user"] == "42")
      #expect(request.headers["user-agent"] == "box-eventd/1.2.3")
    }
  }

  @Test func omitsAsUserByDefault() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(200, Self.page)
    } _: { server in
      try await withTransport { transport in
        _ = try await source(transport, server).read(ReadRequest(position: .oldest))
      }
      #expect(server.requests[0].headers["as-user"] == nil)
      #expect(server.requests[0].target == "/2.0/events?stream_position=0&stream_type=all&limit=500")
    }
  }

  @Test(arguments: [
    (StreamType.all, nil, "Check the app's scopes in Box's developer console."),
    (.all, "42", "\"Make API calls using the as-user header\", and user 42 must be of the enterprise."),
    (.adminLogs, nil, "\"Manage enterprise properties\"."),
  ])
  func says403sRemedy(type: StreamType, asUser: String?, remedy: String) async throws {
    try await ScriptedServer.run { _, _ in
      .answer(403)
    } _: { server in
      try await withTransport { transport in
        let source = try BoxSource(
          transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
          settings: FeedSettings(apiURL: try webURL(server.origin + "/2.0"), type: type, asUser: asUser))
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(failure?.code == .forbidden)
        #expect(
          failure?.hint?.hasSuffix(remedy + " Then authorize the app again in the Admin Console.") == true,
          "\(failure?.hint ?? "")")
      }
    }
  }

  @Test func explainsHowToReplaceAProvidedToken() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(401)
    } _: { server in
      try await withTransport { transport in
        let token = ProvidedToken({ Secret("CANARY") }, renewalHint: { "Write a new token into /token." })
        let source = try BoxSource(
          transport: transport, tokens: AccessTokens(signIn: token),
          settings: FeedSettings(apiURL: try webURL(server.origin + "/2.0")))
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(failure?.message == "Box answered 401: the access token is refused")
        #expect(failure?.hint == "Write a new token into /token.")
      }
    }
  }

  @Test func readsALargePage() async throws {
    let body = (0..<100_000).map { "\($0)" }.joined(separator: ",")
    try await ScriptedServer.run { _, _ in
      .answer(200, body)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        for _ in 0..<2 {
          #expect(try await source.read(ReadRequest(position: .now)).body == Array(body.utf8))
        }
      }
      #expect(server.connections == 1)
    }
  }

  @Test func refusesUnencryptedURLs() async throws {
    try await withTransport { transport in
      let url = try webURL("http://api.box.com/2.0")
      #expect(throws: ClientSettingsError.self) {
        try BoxSource(
          transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
          settings: FeedSettings(apiURL: url))
      }
      #expect(throws: ClientSettingsError.self) { try TokenEndpoint(transport: transport, url: url) }
    }
  }

  @Test(arguments: [201, 202, 204, 206])
  func acceptsStatus200Only(status: Int) async throws {
    try await ScriptedServer.run { _, _ in
      .answer(status, status == 204 ? "" : Self.page)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(failure?.status == status)
      }
    }
  }

  // MARK: OPTIONS

  static let options = #"""
    {"entries":[{"type":"realtime_server","url":"URL","ttl":"5","max_retries":"3","retry_timeout":60}]}
    """#

  @Test func subscribes() async throws {
    try await ScriptedServer.run { request, _ in
      .answer(200, Self.options.replacing("URL", with: "http://localhost:1/s?channel=c"))
    } _: { server in
      try await withTransport { transport in
        let realtime = try await source(transport, server, asUser: "42").subscribe()
        #expect(realtime.url.reveal() == "http://localhost:1/s?channel=c")
        #expect(realtime.timeToLive == .seconds(300))
        #expect(realtime.maximumPolls == 3)
        #expect(realtime.retryTimeout == .seconds(60))
      }
      #expect(server.requests[0].method == "OPTIONS")
      #expect(server.requests[0].headers["accept-encoding"] == "identity")
      #expect(server.requests[0].target == "/2.0/events?stream_type=all")
      #expect(server.requests[0].headers["as-user"] == "42")
      #expect(server.requests[0].headers["authorization"] == "Bearer token-1")
    }
  }

  @Test func refusesAForeignRealtimeServer() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(200, Self.options.replacing("URL", with: "https://evil.example/s?channel=CANARY"))
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let refused = await failure { () throws(FeedFailure) in try await source.subscribe() }
        #expect(refused?.code == .realtimeRefused)
        #expect(refused?.message.contains("evil.example") == true)
        let direct = RealtimeServer(url: Secret("https://evil.example/s?channel=CANARY"))
        let again = await failure { () throws(FeedFailure) in try await source.poll(direct, from: .now) }
        #expect(again?.code == .realtimeRefused)
      }
    }
  }

  @Test func tellsFailuresOfRealtimeFromThoseOfReads() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(405)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        let subscribed = await failure { () throws(FeedFailure) in try await source.subscribe() }
        #expect(subscribed?.isOfRealtime == true && subscribed?.status == 405)
        let realtime = RealtimeServer(url: Secret(server.origin + "/s"))
        let polled = await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) }
        #expect(polled?.isOfRealtime == true && polled?.status == 405)
        let read = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(read?.isOfRealtime == false && read?.status == 405)
      }
    }
  }

  // MARK: Polls

  func poll(_ reply: Reply, retryTimeout: Duration = .seconds(60), bodyTimeout: Duration = .seconds(60))
    async throws -> Result<
      RealtimeReply, FeedFailure
    >
  {
    try await ScriptedServer.run { _, _ in
      reply
    } _: { server in
      try await withTransport {
        $0.pollGrace = .milliseconds(50)
        $0.pollBodyTimeout = bodyTimeout
      } _: { transport in
        let realtime = RealtimeServer(
          url: Secret(server.origin + "/subscribe?channel=CANARY&stream_type=all"), retryTimeout: retryTimeout
        )
        let source = try source(transport, server, asUser: "42")
        let result: Result<RealtimeReply, FeedFailure>
        do throws(FeedFailure) {
          result = .success(try await source.poll(realtime, from: .oldest))
        } catch {
          result = .failure(error)
        }
        // A cancelled poll may not have got this far.
        for request in server.requests {
          #expect(request.target == "/subscribe?channel=CANARY&stream_type=all&stream_position=0")
          #expect(request.headers["authorization"] == nil)
          #expect(request.headers["as-user"] == nil)
        }
        #expect(!"\(result)".contains("CANARY"))
        return result
      }
    }
  }

  @Test func parsesReplies() async throws {
    #expect(try await poll(.answer(200, #"{"version":1,"message":"new_change"}"#)) == .success(.newChange))
    #expect(try await poll(.answer(200, #"{"message":"reconnect"}"#)) == .success(.reconnect))
    #expect(try await poll(.answer(200, #"{"message":"out_of_date"}"#)) == .success(.outOfDate))
    #expect(try await poll(.answer(200, "")) == .success(RealtimeReply(parsing: [])))
  }

  @Test func errorsThatNameAReplyAreReplies() async throws {
    #expect(try await poll(.answer(400, #"{"message":"max_retries"}"#)) == .success(.maxRetries))
    #expect(
      try await poll(.answer(429, #"{"code":"max_retries","message":"No more"}"#)) == .success(.maxRetries))
    #expect(try await poll(.answer(410, #"{"error":"out_of_date"}"#)) == .success(.outOfDate))
  }

  @Test func otherErrorsAreFailures() async throws {
    let failure = try #require(
      try await poll(
        .answer(503, "no CANARY here", headers: ["retry-AFTER: 30"])
      ).failure)
    #expect(failure.code == .serverError)
    #expect(failure.message == "the realtime server answered 503")
    #expect(failure.retryAfter == .seconds(30))
    let echo = try #require(try await poll(.answer(400, #"{"message":"bad channel CANARY"}"#)).failure)
    #expect(echo.message.contains("<redacted>"))
  }

  @Test func endsASilentPoll() async throws {
    let failure = try #require(try await poll(Reply(.silence), retryTimeout: .zero).failure)
    #expect(failure.code == .unreachable)
  }

  @Test func endsAStalledReply() async throws {
    let reply = Reply(.send("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"), .silence)
    let failure = try #require(try await poll(reply, bodyTimeout: .milliseconds(50)).failure)
    #expect(failure.message == "127.0.0.1 did not complete its answer within 50 ms")
  }

  @Test func boundsReplies() async throws {
    let body = String(repeating: " ", count: 65_537)
    let failure = try #require(try await poll(.answer(200, body)).failure)
    #expect(failure.code == .unreadable)
    let reply = try await poll(
      .answer(200, #"{"message":"new_change"}"# + String(repeating: " ", count: 60_000)))
    #expect(reply == .success(.newChange))
  }

  // MARK: 401

  @Test func renewsARefusedTokenAndRepeatsTheCall() async throws {
    try await ScriptedServer.run { request, _ in
      request.headers["authorization"] == "Bearer token-2" ? .answer(200, Self.page) : .answer(401)
    } _: { server in
      try await withTransport { transport in
        let signIn = CountingSignIn()
        _ = try await source(transport, server, signIn: signIn).read(ReadRequest(position: .now))
        #expect(signIn.count.withLock { $0 } == 2)
        #expect(server.requests.count == 2)
      }
    }
  }

  @Test func aSecondRefusalIsAFailure() async throws {
    let time = ManualTime()
    try await ScriptedServer.run { _, _ in
      .answer(401, "", headers: [#"WWW-Authenticate: Bearer error="invalid_token""#, "box-request-id: r1"])
    } _: { server in
      try await withTransport { transport in
        let signIn = CountingSignIn()
        let source = try source(transport, server, signIn: signIn, clock: time.clock)
        let first = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(first?.code == .unauthorized)
        #expect(first?.message == "Box answered 401: the access token is refused")
        #expect(first?.requestID == "r1")
        #expect(server.requests.count == 2)
        time.advance(.seconds(20))
        let second = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(second?.code == .unauthorized)
        #expect(second?.retryAfter == .seconds(40))
        #expect(server.requests.count == 3)
        time.advance(.seconds(40))
        _ = await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
        #expect(server.requests.count == 5)
        #expect(signIn.count.withLock { $0 } == 3)
      }
    }
  }

  /// Box may revoke tokens one after the other: one that has worked may be replaced at once.
  @Test func replacesATokenThatHasWorkedWheneverItIsRefused() async throws {
    try await ScriptedServer.run { _, index in
      index % 2 == 0 ? .answer(200, Self.page) : .answer(401)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        for _ in 0..<4 { _ = try await source.read(ReadRequest(position: .now)) }
      }
      let used = server.requests.map { $0.headers["authorization"] ?? "" }
      #expect(used == [1, 1, 2, 2, 3, 3, 4].map { "Bearer token-\($0)" })
    }
  }

  @Test func replacesATokenThatNeverWorkedOnceAMinute() async throws {
    let signIn = CountingSignIn()
    try await ScriptedServer.run { _, _ in
      .answer(401)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server, signIn: signIn)
        for _ in 0..<4 {
          let failure = await failure { () throws(FeedFailure) in
            try await source.read(ReadRequest(position: .now))
          }
          #expect(failure?.code == .unauthorized)
        }
      }
    }
    #expect(signIn.count.withLock { $0 } == 2)
  }

  /// Streams that Box never accepts beside one that works, with the same tokens.
  @Test(arguments: [1, 3]) func aStreamsOwnRefusalDoesNotRenewEverybodysToken(refused: Int) async throws {
    let (signIn, time) = (CountingSignIn(lifetime: .seconds(86_400)), ManualTime())
    let isAllowed = Mutex(false)
    try await ScriptedServer.run { request, _ in
      request.headers["as-user"] == nil || isAllowed.withLock { $0 } ? .answer(200, Self.page) : .answer(401)
    } _: { server in
      try await withTransport { transport in
        let tokens = AccessTokens(signIn: signIn, clock: time.clock, seed: 1)
        func source(asUser: String?) throws -> BoxSource {
          try BoxSource(
            transport: transport, tokens: tokens,
            settings: FeedSettings(apiURL: try webURL(server.origin + "/2.0"), asUser: asUser))
        }
        let working = try source(asUser: nil)
        let others = try (0..<refused).map { try source(asUser: "\($0)") }
        for _ in 0..<20 {
          _ = try await working.read(ReadRequest(position: .now))
          for other in others {
            let failure = await failure { () throws(FeedFailure) in
              try await other.read(ReadRequest(position: .now))
            }
            #expect(failure?.code == .unauthorized)
          }
          time.advance(.seconds(61))
        }
        #expect(signIn.count.withLock { $0 } == 1 + refused)
        isAllowed.withLock { $0 = true }
        for other in others { _ = try await other.read(ReadRequest(position: .now)) }
        #expect(signIn.count.withLock { $0 } == 1 + refused)
      }
    }
  }

  /// A server without realtime for this account may refuse OPTIONS alone.
  @Test func aRefusedSubscriptionDoesNotRenewTheTokenOfTheReads() async throws {
    let signIn = CountingSignIn()
    try await ScriptedServer.run { request, _ in
      request.method == "OPTIONS" ? .answer(401) : .answer(200, Self.page)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server, signIn: signIn)
        for _ in 0..<5 {
          _ = try await source.read(ReadRequest(position: .now))
          let failure = await failure { () throws(FeedFailure) in try await source.subscribe() }
          #expect(failure?.code == .unauthorized)
        }
      }
    }
    #expect(signIn.count.withLock { $0 } == 2)
  }

  /// A stream that was refused must not keep the token that Box has revoked meanwhile.
  @Test func aStreamThatWasRefusedStillReplacesARevokedToken() async throws {
    let signIn = CountingSignIn()
    let accepted = Mutex("Bearer token-3")
    try await ScriptedServer.run { request, _ in
      request.headers["authorization"] == accepted.withLock { $0 } ? .answer(200, Self.page) : .answer(401)
    } _: { server in
      let time = ManualTime()
      try await withTransport { transport in
        let source = try source(transport, server, signIn: signIn, clock: time.clock)
        let first = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(first?.code == .unauthorized)
        time.advance(.seconds(61))
        _ = try await source.read(ReadRequest(position: .now))
        accepted.withLock { $0 = "Bearer token-4" }
        _ = try await source.read(ReadRequest(position: .now))
      }
    }
    #expect(signIn.count.withLock { $0 } == 4)
  }

  // MARK: Measurements

  @Test func measuresEveryRequest() async throws {
    let seen = Mutex<[String]>([])
    try await ScriptedServer.run { request, index in
      index == 0 ? .answer(200, Self.page) : index == 1 ? .answer(503) : Reply(.close)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server) { stage in
          guard case .ended(let call) = stage else { return }
          seen.withLock {
            $0.append("\(call.endpoint) \(call.code) \(call.duration > .zero) \(call.bytes)")
          }
        }
        _ = await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
        _ = await failure { () throws(FeedFailure) in try await source.subscribe() }
        let realtime = RealtimeServer(url: Secret(server.origin + "/s"))
        _ = await failure { () throws(FeedFailure) in try await source.poll(realtime, from: .now) }
      }
    }
    #expect(
      seen.withLock { $0 } == [
        "events 200 true \(Self.page.utf8.count)", "options 503 true 0", "poll unreachable true 0",
      ])
  }
}

extension Result {
  /// Nil for a success.
  fileprivate var failure: Failure? {
    switch self {
    case .success: nil
    case .failure(let failure): failure
    }
  }
}
