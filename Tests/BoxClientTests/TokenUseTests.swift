import BoxEvents
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

/// When a token counts as used up, and when it may be renewed by force.
@Suite struct TokenUseTests {
  /// Box may revoke tokens one after the other: one that has worked may be replaced at once.
  @Test func aTokenThatHasWorkedIsReplacedWheneverItIsRefused() async throws {
    try await ScriptedServer.run { _, index in
      index % 2 == 0 ? .answer(200, BoxSourceTests.page) : .answer(401)
    } _: { server in
      try await withTransport { transport in
        let source = try source(transport, server)
        for _ in 0..<4 { _ = try await source.read(ReadRequest(position: .now)) }
      }
      let used = server.requests.map { $0.headers["authorization"] ?? "" }
      #expect(used == [1, 1, 2, 2, 3, 3, 4].map { "Bearer token-\($0)" })
    }
  }

  @Test func oneThatNeverWorkedIsNotReplacedTwiceAMinute() async throws {
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

  /// Box counts a token's life from when it gave it out, not from when it arrived.
  @Test func theTimeOfTheSignInCountsForTheTokensLife() async throws {
    let (time, signIn) = (ManualTime(), HeldSignIn())
    let tokens = AccessTokens(signIn: signIn, time: time.timekeeper, seed: 1)
    let first = Task { try await tokens.token().text.reveal() }
    await signIn.waitForAttempts(1)
    time.advance(.seconds(200))
    signIn.succeed("slow", lifetime: .seconds(600))
    #expect(try await first.value == "slow")
    time.advance(.seconds(401))
    let second = Task { try await tokens.token().text.reveal() }
    await signIn.waitForAttempts(2)
    signIn.succeed("new", lifetime: .seconds(600))
    #expect(try await second.value == "new")
  }

  @Test(arguments: [201, 202, 204, 206])
  func onlyAnswersWithAPageCountAsAPage(status: Int) async throws {
    try await ScriptedServer.run { _, _ in
      .answer(status, status == 204 ? "" : BoxSourceTests.page)
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
}
