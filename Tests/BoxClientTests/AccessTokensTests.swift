import BoxEvents
import Synchronization
import Testing

@testable import BoxClient

/// Where a call signs in that should not, the sign-in is held for ever: the limit ends the test then.
@Suite(.timeLimit(.minutes(1))) struct AccessTokensTests {
  let time = ManualTime()

  func tokens(_ signIn: any SignIn, onEvent: @escaping @Sendable (AccessTokens.Event) -> Void = { _ in })
    -> AccessTokens
  {
    AccessTokens(signIn: signIn, clock: time.clock, seed: 1, onEvent: onEvent)
  }

  static let refusal = FeedFailure(.unauthorized, "Box answered 401", status: 401)

  @Test func concurrentCallsShareOneSignIn() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    let texts = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<100 { group.addTask { try await tokens.token().text.reveal() } }
      await signIn.waitForAttempts(1)
      signIn.succeed("shared")
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(texts == ["shared"])
    #expect(signIn.started == 1)
  }

  @Test func aCancelledCallDoesNotStopTheSignIn() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    let impatient = Task { await failure { () throws(FeedFailure) in try await tokens.token() } }
    await signIn.waitForAttempts(1)
    let patient = Task { try await tokens.token().text.reveal() }
    impatient.cancel()
    #expect(await impatient.value?.code == .cancelled)
    signIn.succeed("kept")
    #expect(try await patient.value == "kept")
    #expect(signIn.started == 1)
  }

  @Test func renewsAheadOfExpiryAndHandsTheTokenOutMeanwhile() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    async let first = tokens.token()
    await signIn.waitForAttempts(1)
    signIn.succeed("first")
    _ = try await first
    time.advance(.seconds(3299))
    #expect(try await tokens.token().text.reveal() == "first")
    #expect(signIn.started == 1)
    time.advance(.seconds(1))
    #expect(try await tokens.token().text.reveal() == "first")
    await signIn.waitForAttempts(2)
    #expect(try await tokens.token().text.reveal() == "first")
    signIn.succeed("second")
    await tokens.awaitRenewal()
    #expect(try await tokens.token().text.reveal() == "second")
    #expect(signIn.started == 2)
  }

  @Test func doesNotHandOutAnExpiredToken() async throws {
    let signIn = CountingSignIn(lifetime: .seconds(10))
    let tokens = tokens(signIn)
    #expect(try await tokens.token().text.reveal() == "token-1")
    time.advance(.seconds(10))
    #expect(try await tokens.token().text.reveal() == "token-2")
  }

  /// Box counts a token's lifetime from when it issued it, not from when it arrived.
  @Test func lifetimesBeginWithTheRequest() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
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

  @Test func keepsTheTokenAfterAFailedRenewal() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    async let first = tokens.token()
    await signIn.waitForAttempts(1)
    signIn.succeed("first")
    _ = try await first
    time.advance(.seconds(3400))
    _ = try await tokens.token()
    await signIn.waitForAttempts(2)
    signIn.fail(FeedFailure(.signInFailed, "down"))
    await tokens.awaitRenewal()
    #expect(try await tokens.token().text.reveal() == "first")
    time.advance(.seconds(200))
    let expired = Task { await failure { () throws(FeedFailure) in try await tokens.token() } }
    await signIn.waitForAttempts(3)
    signIn.fail(FeedFailure(.signInFailed, "still down"))
    #expect(await expired.value?.message == "still down")
  }

  @Test func whileBackingOffEveryCallFailsAtOnce() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    let first = Task { await failure { () throws(FeedFailure) in try await tokens.token() } }
    await signIn.waitForAttempts(1)
    signIn.fail(FeedFailure(.signInFailed, "busy", retryAfter: .seconds(90)))
    #expect(await first.value?.retryAfter == .seconds(90))
    time.advance(.seconds(30))
    let reported = await failure { () throws(FeedFailure) in try await tokens.token() }
    #expect(reported?.code == .signInFailed && reported?.message == "busy")
    #expect(reported?.retryAfter == .seconds(60))
    #expect(signIn.started == 1)
    time.advance(.seconds(60))
    async let again = tokens.token()
    await signIn.waitForAttempts(2)
    signIn.succeed("there")
    #expect(try await again.text.reveal() == "there")
  }

  @Test func backoffGrowsToFiveMinutes() async throws {
    let signIn = FailingSignIn()
    let tokens = tokens(signIn)
    var waits: [Duration] = []
    for _ in 0..<40 {
      let failure = await failure { () throws(FeedFailure) in try await tokens.token() }
      let wait = try #require(failure?.retryAfter)
      waits.append(wait)
      time.advance(wait)
    }
    #expect(signIn.count.withLock { $0 } == 40)
    #expect(waits.allSatisfy { $0 > .zero && $0 <= .seconds(300) })
    #expect(waits.suffix(20).contains { $0 > .seconds(100) })
    #expect(waits[0] <= .seconds(2))
  }

  // MARK: Refused tokens

  @Test func concurrentRefusalsForceOneRenewal() async throws {
    let signIn = CountingSignIn()
    let tokens = tokens(signIn)
    let refused = try await tokens.token()
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<50 {
        group.addTask { try await tokens.replacement(for: refused, refusal: Self.refusal).text.reveal() }
      }
      for try await text in group { #expect(text == "token-2") }
    }
    #expect(signIn.count.withLock { $0 } == 2)
  }

  @Test func forcesARenewalOnceAMinute() async throws {
    let tokens = tokens(CountingSignIn())
    let first = try await tokens.token()
    let second = try await tokens.replacement(for: first, refusal: Self.refusal)
    let refused = await failure { () throws(FeedFailure) in
      try await tokens.replacement(for: second, refusal: Self.refusal)
    }
    #expect(refused?.code == .unauthorized)
    #expect(refused?.retryAfter == .seconds(60))
    time.advance(.seconds(60))
    #expect(try await tokens.replacement(for: second, refusal: Self.refusal).text.reveal() == "token-3")
  }

  @Test func replacesATokenThatHasWorkedAtOnce() async throws {
    let tokens = tokens(CountingSignIn())
    var token = try await tokens.token()
    for number in 2...5 {
      token.noteWorked()
      token = try await tokens.replacement(for: token, refusal: Self.refusal)
      #expect(token.text.reveal() == "token-\(number)")
    }
    // This one never worked, and was itself forced a moment ago.
    await #expect(throws: FeedFailure.self) {
      try await tokens.replacement(for: token, refusal: Self.refusal)
    }
  }

  @Test func refusesTheSameTokenAgain() async throws {
    let tokens = tokens(ProvidedToken { Secret("constant\n") })
    let first = try await tokens.token()
    #expect(first.text.reveal() == "constant")
    let failure = await failure { () throws(FeedFailure) in
      try await tokens.replacement(for: first, refusal: Self.refusal)
    }
    #expect(failure?.code == .unauthorized)
  }

  @Test func readsAProvidedTokenAgainWhenRefused() async throws {
    let file = Mutex("one")
    let tokens = tokens(ProvidedToken { Secret(file.withLock { $0 }) })
    let first = try await tokens.token()
    file.withLock { $0 = "two" }
    #expect(try await tokens.token().text.reveal() == "one")
    #expect(try await tokens.replacement(for: first, refusal: Self.refusal).text.reveal() == "two")
    #expect(try await tokens.token().text.reveal() == "two")
  }

  /// While a call of the sign-in waits for its turn, whoever waits for the token is told, at once if it comes later.
  @Test func tellsTheStagesOfASignIn() async throws {
    let (signIn, stages) = (HeldSignIn(), SignInStages())
    let tokens = AccessTokens(signIn: signIn, stages: stages, clock: time.clock, seed: 1)
    let seen = Shared<[String]>([])
    @Sendable func token(_ name: String) async throws -> String {
      try await tokens.token { stage in
        switch stage {
        case .queued(let rounds, let wait):
          seen.value.withLock { $0.append("\(name) \(rounds) \(wait / .seconds(1))") }
        case .began: seen.value.withLock { $0.append("\(name) began") }
        case .ended: Issue.record("a call of the sign-in is not one of the stream")
        }
      }.text.reveal()
    }
    let first = Task { try await token("first") }
    await signIn.waitForAttempts(1)
    stages.observe(.queued(rounds: 1, wait: .seconds(60)))
    stages.observe(.queued(rounds: 0, wait: .seconds(30)))
    let second = Task { try await token("second") }
    while seen.value.withLock({ $0.count }) < 3, !Task.isCancelled { await Task.yield() }
    #expect(seen.value.withLock { $0 } == ["first 1 60.0", "first 0 30.0", "second 0 30.0"])
    stages.observe(.began)
    stages.observe(.ended(FinishedCall(endpoint: "token", code: "200", duration: .zero)))
    #expect(seen.value.withLock { Set($0.dropFirst(3)) } == ["first began", "second began"])
    signIn.succeed("a")
    #expect(try await first.value == "a")
    #expect(try await second.value == "a")
    // None waits any more, and a token that is there costs no wait.
    stages.observe(.queued(rounds: 1, wait: .seconds(60)))
    #expect(try await token("third") == "a")
    #expect(seen.value.withLock { $0.count } == 5)
  }

  // MARK: Running, reloading, events

  @Test func runRenewsAnUnusedToken() async throws {
    let signIn = CountingSignIn()
    let renewals = AsyncStream<Void>.makeStream()
    let tokens = tokens(signIn) { _ in renewals.continuation.yield() }
    let run = Task { await tokens.run() }
    var seen = 0
    for await _ in renewals.stream {
      seen += 1
      if seen == 4 { break }
    }
    run.cancel()
    await run.value
    #expect(signIn.count.withLock { $0 } >= 4)
  }

  /// The sign-in here ends only by its answer, like one that spends a refresh token.
  @Test func stopWaitsForAnAnswerAlsoInACancelledTask() async throws {
    let signIn = HeldSignIn()
    let clock = AccessTokens.Clock(now: { .zero }, sleep: { _ in try await Task.sleep(for: .seconds(3600)) })
    let tokens = AccessTokens(signIn: signIn, clock: clock)
    let first = Task { try await tokens.token().text.reveal() }
    await signIn.waitForAttempts(1)
    let hasAnswer = Mutex(false)
    let stop = Task {
      await tokens.stop(within: .seconds(15))
      return hasAnswer.withLock { $0 }
    }
    stop.cancel()
    while await !tokens.isStopped, !Task.isCancelled { await Task.yield() }
    hasAnswer.withLock { $0 = true }
    signIn.succeed("last")
    #expect(await stop.value)
    #expect(try await first.value == "last")
    let last = try #require(AccessToken("last", lifetime: nil))
    let afterwards = await failure { () throws(FeedFailure) in
      try await tokens.replacement(for: last, refusal: Self.refusal)
    }
    #expect(afterwards?.code == .cancelled)
    #expect(signIn.started == 1)
  }

  @Test func stopWaitsNoLongerThanItsLimit() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    let first = Task { await failure { () throws(FeedFailure) in try await tokens.token() } }
    await signIn.waitForAttempts(1)
    // A sleep of this clock is over at once.
    await tokens.stop(within: .seconds(15))
    signIn.fail(.cancelled)
    #expect(await first.value?.code == .cancelled)
  }

  @Test func reloadEndsTheBackoff() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    let first = Task { await failure { () throws(FeedFailure) in try await tokens.token() } }
    await signIn.waitForAttempts(1)
    signIn.fail(FeedFailure(.signInRefused, "wrong secret", retryAfter: .seconds(3600)))
    _ = await first.value
    await tokens.reload()
    await signIn.waitForAttempts(2)
    signIn.succeed("better")
    await tokens.awaitRenewal()
    #expect(try await tokens.token().text.reveal() == "better")
  }

  @Test func reportsSignInsAndFailures() async throws {
    let seen = Mutex<[String]>([])
    let signIn = HeldSignIn()
    let tokens = tokens(signIn) { event in seen.withLock { $0.append("\(event)") } }
    async let first = tokens.token()
    await signIn.waitForAttempts(1)
    signIn.succeed("CANARY")
    _ = try await first
    time.advance(.seconds(3600))
    let second = Task { await failure { () throws(FeedFailure) in try await tokens.token() } }
    await signIn.waitForAttempts(2)
    signIn.fail(FeedFailure(.signInFailed, "down"))
    _ = await second.value
    let texts = seen.withLock { $0 }
    #expect(texts.count == 2)
    #expect(texts[0].contains("3600"))
    #expect(texts[1].contains("down"))
    #expect(!texts.joined().contains("CANARY"))
  }

  @Test func cancelledRenewalsAreNotFailures() async throws {
    let signIn = HeldSignIn()
    let tokens = tokens(signIn)
    let first = Task { await failure { () throws(FeedFailure) in try await tokens.token() } }
    await signIn.waitForAttempts(1)
    signIn.fail(.cancelled)
    #expect(await first.value?.code == .cancelled)
    async let second = tokens.token()
    await signIn.waitForAttempts(2)
    signIn.succeed("fine")
    #expect(try await second.text.reveal() == "fine")
  }
}

private final class FailingSignIn: SignIn {
  let count = Mutex(0)

  func signIn() async throws(FeedFailure) -> AccessToken {
    count.withLock { $0 += 1 }
    throw FeedFailure(.signInFailed, "down")
  }
}
