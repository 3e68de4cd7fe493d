import BoxEvents
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct OwnedSignInTests {
  /// Tokens that a test makes.
  struct Given: SignIn {
    var isOfNewLogin = false

    func signIn() async throws(FeedFailure) -> AccessToken {
      guard var token = AccessToken("CANARY", lifetime: nil) else { throw .cancelled }
      token.isOfNewLogin = isOfNewLogin
      return token
    }
  }

  func run(
    _ given: Given = Given(), _ script: @escaping ScriptedServer.Script,
    _ body: (OwnedSignIn, ScriptedServer, _ unknown: () -> [FeedFailure]) async throws -> Void
  ) async throws {
    try await ScriptedServer.run(script) { server in
      try await withTransport { transport in
        let unknown = Mutex([FeedFailure]())
        let signIn = OwnedSignIn(
          given, transport: transport, apiURL: try webURL(server.origin + "/2.0"),
          onUnknown: { failure in unknown.withLock { $0.append(failure) } })
        try await body(signIn, server) { unknown.withLock { $0 } }
      }
    }
  }

  /// Whatever Box answers, events don't wait for it; it is asked again with the next token.
  @Test(arguments: [
    Reply.answer(403, #"{"code":"access_denied_insufficient_permissions"}"#), .answer(500), .answer(401),
    .answer(200, ""), .answer(200, #"{"type":"user"}"#), .answer(200, #"{"id":"CANARY"}"#),
    .answer(200, "[]"),
    Reply(.close),
  ])
  func aTokenWithoutAnOwnerIsUsed(_ reply: Reply) async throws {
    try await run { request, index in
      index < 2 ? reply : .answer(200, #"{"id":"123"}"#)
    } _: { signIn, server, unknown in
      // A connection that closes without an answer is tried once more.
      for _ in 0..<2 where signIn.owner == nil { _ = try await signIn.signIn() }
      let failures = unknown()
      #expect(!failures.isEmpty)
      #expect(!failures.contains { "\($0)".contains("CANARY") })
      _ = try await signIn.signIn()
      #expect(signIn.owner == TokenOwner(parsing: Array(#"{"id":"123"}"#.utf8)))
      #expect(server.requests[0].headers["authorization"] == "Bearer CANARY")
    }
  }

  /// Another login may be another user's: what was known isn't taken for it.
  @Test func aNewLoginForgetsTheOwner() async throws {
    try await run(Given(isOfNewLogin: true)) { _, index in
      index == 0 ? .answer(200, #"{"id":"123","enterprise":{"id":"456"}}"#) : .answer(403)
    } _: { signIn, _, _ in
      _ = try await signIn.signIn()
      #expect(signIn.owner?.user == "123" && signIn.owner?.enterprise == "456")
      _ = try await signIn.signIn()
      #expect(signIn.owner == nil)
    }
  }

  @Test func asksOnceForTheTokensOfOneLogin() async throws {
    try await run { _, _ in
      .answer(200, #"{"id":"123","enterprise":null}"#)
    } _: { signIn, server, _ in
      for _ in 0..<3 { _ = try await signIn.signIn() }
      #expect(server.requests.map(\.target) == ["/2.0/users/me?fields=id,enterprise"])
    }
  }
}
