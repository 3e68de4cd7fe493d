import BoxEvents
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct RefreshTokenSignInTests {
  static let dead = Reply.answer(
    400, #"{"error":"invalid_grant","error_description":"Refresh token has expired"}"#)

  /// Like Box: each refresh token works once, `r1` is followed by `r2`.
  static func rotated(_ request: RecordedRequest) -> Reply {
    guard let token = request.field("refresh_token"), let number = Int(token.dropFirst()) else {
      return .answer(500)
    }
    return .answer(
      200, #"{"access_token":"a\#(number)","expires_in":3600,"refresh_token":"r\#(number + 1)"}"#)
  }

  func run(
    _ store: MemoryTokenStore, _ script: @escaping ScriptedServer.Script,
    _ body: (RefreshTokenSignIn, ScriptedServer) async throws -> Void
  ) async throws {
    try await ScriptedServer.run(script) { server in
      try await withTransport { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(server.origin + "/token"))
        try await body(
          RefreshTokenSignIn(
            endpoint: endpoint, clientID: "id", clientSecret: { Secret("CANARY") }, store: store), server)
      }
    }
  }

  func accessToken(_ signIn: RefreshTokenSignIn) async -> String? {
    try? await signIn.signIn().text.reveal()
  }

  func refused(_ signIn: RefreshTokenSignIn) async -> FeedFailure? {
    let failure = await failure { () throws(FeedFailure) in try await signIn.signIn() }
    #expect(!String(describing: failure).contains("CANARY"))
    return failure
  }

  @Test func savesTheNewTokenBeforeTheAccessTokenIsUsed() async throws {
    let store = MemoryTokenStore("r1")
    try await run(store) { request, _ in
      store.note("spend \(request.field("refresh_token") ?? "")")
      return Self.rotated(request)
    } _: { signIn, server in
      #expect(await accessToken(signIn) == "a1")
      #expect(await accessToken(signIn) == "a2")
      #expect(store.log == ["prove", "spend r1", "save r2", "prove", "spend r2", "save r3"])
      #expect(
        server.requests[0].body
          == "grant_type=refresh_token&refresh_token=r1&client_id=id&client_secret=CANARY")
    }
  }

  @Test func spendsNothingIfNothingCanBeSaved() async throws {
    let store = MemoryTokenStore("r1")
    store.state.withLock { $0.failsToProve = true }
    try await run(store) { request, _ in
      Self.rotated(request)
    } _: { signIn, server in
      #expect(await refused(signIn)?.code == .signInFailed)
      #expect(server.requests.isEmpty)
    }
  }

  @Test func savesAnUnsavedTokenBeforeItIsUsed() async throws {
    let store = MemoryTokenStore("r1")
    store.state.withLock { $0.failsToSave = true }
    try await run(store) { request, _ in
      Self.rotated(request)
    } _: { signIn, server in
      #expect(await refused(signIn)?.message.contains("cannot save") == true)
      #expect(await refused(signIn)?.code == .signInFailed)
      #expect(server.requests.count == 1)
      store.state.withLock { $0.failsToSave = false }
      #expect(await accessToken(signIn) == "a1")
      #expect(server.requests.count == 1)
      #expect(store.token == "r2")
      #expect(await accessToken(signIn) == "a2")
    }
  }

  @Test func prefersALoginInTheMeantime() async throws {
    let store = MemoryTokenStore("r1")
    store.state.withLock { $0.failsToSave = true }
    try await run(store) { request, _ in
      Self.rotated(request)
    } _: { signIn, server in
      _ = await refused(signIn)
      store.state.withLock { state in
        state.failsToSave = false
        state.token = Secret("r100")
      }
      #expect(await accessToken(signIn) == "a100")
      #expect(store.token == "r101")
    }
  }

  @Test func aDeadTokenRequiresALogin() async throws {
    let store = MemoryTokenStore("r1")
    try await run(store) { _, _ in
      Self.dead
    } _: { signIn, server in
      let failure = await refused(signIn)
      #expect(failure?.code == .signInRefused)
      #expect(failure?.hint?.contains("box-eventd login") == true)
      #expect(server.requests.count == 1)
      #expect(store.token == "r1")
    }
  }

  /// The daemon and `check --online`: each loads what the other has saved.
  @Test func twoProcessesSpendEachTokenOnce() async throws {
    let store = MemoryTokenStore("r1")
    let spent = Mutex<Set<String>>([])
    try await run(store) { request, _ in
      let isFirst = spent.withLock { $0.insert(request.field("refresh_token") ?? "").inserted }
      return isFirst ? Self.rotated(request) : Self.dead
    } _: { signIn, server in
      try await run(store) { request, _ in
        let isFirst = spent.withLock { $0.insert(request.field("refresh_token") ?? "").inserted }
        return isFirst ? Self.rotated(request) : Self.dead
      } _: { other, otherServer in
        for _ in 0..<10 {
          async let first = accessToken(signIn)
          async let second = accessToken(other)
          let tokens = await [first, second]
          #expect(!tokens.contains(nil))
        }
        #expect(server.requests.count == 10 && otherServer.requests.count == 10)
        #expect(store.token == "r21")
      }
    }
  }

  @Test func spendsNothingThatAnotherProcessKeeps() async throws {
    let store = MemoryTokenStore("r1")
    store.state.withLock { $0.isKept = true }
    try await run(store) { request, _ in
      Self.rotated(request)
    } _: { signIn, server in
      let failure = await refused(signIn)
      #expect(failure?.code == .signInFailed)
      #expect(failure?.message.contains("another process") == true)
      #expect(server.requests.isEmpty && store.log.isEmpty)
    }
  }

  /// Whatever the end of an exchange, the next one can begin.
  @Test func givesTheTokenBackAfterAFailure() async throws {
    let store = MemoryTokenStore("r1")
    try await run(store) { request, index in
      index == 0 ? .answer(500) : Self.rotated(request)
    } _: { signIn, _ in
      #expect(await refused(signIn)?.code == .signInFailed)
      #expect(!store.state.withLock { $0.isTaken })
      #expect(await accessToken(signIn) == "a1")
    }
  }

  @Test func requiresALoginFirst() async throws {
    try await run(MemoryTokenStore(nil)) { _, _ in
      Self.dead
    } _: { signIn, server in
      #expect(await refused(signIn)?.code == .signInRefused)
      #expect(server.requests.isEmpty)
    }
  }

  @Test(arguments: [Reply.answer(409), .answer(500), .answer(400, "<html>"), .answer(200, ""), Reply(.close)])
  func keepsTheTokenAfterOtherFailures(_ reply: Reply) async throws {
    let store = MemoryTokenStore("r1")
    try await run(store) { _, _ in
      reply
    } _: { signIn, _ in
      #expect(await refused(signIn)?.code == .signInFailed)
      #expect(store.token == "r1")
      #expect(!store.log.contains { $0.hasPrefix("save") })
    }
  }

  @Test func keepsTheTokenWithoutASuccessor() async throws {
    let store = MemoryTokenStore("r1")
    try await run(store) { _, _ in
      .answer(200, #"{"access_token":"a"}"#)
    } _: { signIn, _ in
      #expect(await accessToken(signIn) == "a")
      #expect(store.token == "r1")
    }
  }
}
