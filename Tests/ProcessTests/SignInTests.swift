import BoxSimulator
import Glibc
import Testing

/// Every way to sign in, from the configuration to the spooled event.
@Suite struct SignInTests {
  @Test func clientCredentials() async throws {
    try await withTestEnvironment { fixture in
      try await streamThroughExpiry(fixture)
    }
  }

  @Test func clientCredentialsAsAnEnterprise() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.auth[2] = #"subject = "enterprise:456""#
      fixture.configure()
      let daemon = try fixture.start()
      fixture.simulator.produce(3, user: "456")
      try await fixture.drained(user: "456")
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact(user: "456")
    }
  }

  @Test func keyPair() async throws {
    try await withTestEnvironment { fixture in
      writeFile("\(fixture.root)/jwt.json", Array(fixture.simulator.options.credentials.jwtSettings.utf8))
      fixture.settings.auth = [
        #"method = "jwt""#, #"subject = "user:123""#, #"settings_file = "\#(fixture.root)/jwt.json""#,
      ]
      fixture.configure()
      try await streamThroughExpiry(fixture)
    }
  }

  /// Box's clock is ahead: the first assertion is refused, the second one is made from Box's time.
  @Test(arguments: [-600, 600]) func keyPairWithAWrongClock(_ offset: Int) async throws {
    var options = SimulatorOptions()
    options.clockOffset = .seconds(offset)
    try await withTestEnvironment(options) { fixture in
      writeFile("\(fixture.root)/jwt.json", Array(fixture.simulator.options.credentials.jwtSettings.utf8))
      fixture.settings.auth = [
        #"method = "jwt""#, #"subject = "user:123""#, #"settings_file = "\#(fixture.root)/jwt.json""#,
      ]
      fixture.configure()
      try await streamThroughExpiry(fixture)
    }
  }

  @Test func accessTokenThatAnotherProgramRenews() async throws {
    try await withTestEnvironment { fixture in
      let file = "\(fixture.root)/access-token"
      writeFile(file, Array("simulator-access-token\n".utf8))
      fixture.settings.auth = [#"method = "access-token""#, #"access_token_file = "\#(file)""#]
      fixture.configure()
      let daemon = try fixture.start()
      fixture.simulator.produce(3)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }

      fixture.simulator.expireTokens()
      fixture.simulator.addAccessToken("renewed-token")
      writeFile(file, Array("renewed-token\n".utf8))
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  /// The configuration doesn't say whose token it is: Box does, and the position is not taken for another user's.
  @Test func accessTokenOfAnotherUser() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "124"]
    try await withTestEnvironment(options) { fixture in
      let file = "\(fixture.root)/access-token"
      writeFile(file, Array("simulator-access-token\n".utf8))
      fixture.settings.auth = [#"method = "access-token""#, #"access_token_file = "\#(file)""#]
      fixture.configure()
      fixture.simulator.produce(3)
      let daemon = try fixture.start()
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))

      fixture.simulator.addAccessToken("token-of-another", user: "124")
      fixture.simulator.produce(3, user: "124")
      writeFile(file, Array("token-of-another\n".utf8))
      let blocked = try fixture.start()
      try await fixture.logged("belongs to another feed")
      _ = try await blocked.terminated()
      fixture.expectIntact()

      writeFile(file, Array("simulator-access-token\n".utf8))
      let undone = try fixture.start()
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(try await undone.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  /// Box has refused the subject of the first start: nothing is bound to it.
  @Test func subjectCorrectedAfterAFirstStart() async throws {
    try await withTestEnvironment { fixture in
      let subject = fixture.settings.auth[2]
      fixture.settings.auth[2] = #"subject = "user:999""#
      fixture.configure()
      let refused = try fixture.start()
      try await fixture.logged("cannot sign in")
      try await eventually("a saved position") {
        !readFile("\(fixture.root)/state/default/stream_position").isEmpty
      }
      _ = try await refused.terminated()
      fixture.settings.auth[2] = subject
      fixture.configure()
      try await streamThroughExpiry(fixture)
    }
  }

  @Test func loginWithTheCode() async throws {
    try await withTestEnvironment { fixture in
      try await login(fixture) { _ in "simulator-code" }
      let spent = fixture.simulator.refreshTokens
      try await streamThroughExpiry(fixture)
      #expect(
        fixture.simulator.refreshTokens.isDisjoint(with: spent.subtracting(["simulator-refresh-token"])))
    }
  }

  @Test func loginWithTheRedirectURL() async throws {
    try await withTestEnvironment { fixture in
      try await login(fixture) { url in
        let state = try #require(url.split(separator: "state=").last)
        return "http://localhost/callback?code=simulator-code&state=\(state)"
      }
      try await streamThroughExpiry(fixture)
    }
  }

  @Test(arguments: ["&state=1234", "", "&state="]) func loginOfAnotherState(_ state: String) async throws {
    try await withTestEnvironment { fixture in
      let outcome = try await attempt(fixture) { _ in "http://localhost/callback?code=simulator-code\(state)"
      }
      #expect(outcome.exit == .code(77))
      #expect(outcome.errors.contains("state"))
      #expect(outcome.errors.isTwoLines)
      // The code has not been spent.
      #expect(fixture.simulator.statistics.requests(.token) == 0)
    }
  }

  @Test func loginWithAWrongCode() async throws {
    try await withTestEnvironment { fixture in
      let outcome = try await attempt(fixture) { _ in "no-such-code" }
      #expect(outcome.exit == .code(77))
      #expect(outcome.errors.isTwoLines)
    }
  }

  /// The daemon is killed again and again while refresh tokens rotate: none is spent twice.
  @Test func refreshTokensSurviveKills() async throws {
    try await withTestEnvironment { fixture in
      try await login(fixture) { _ in "simulator-code" }
      for round in 1...8 {
        fixture.simulator.expireTokens()
        let issued = fixture.simulator.statistics.issuedTokens
        let daemon = try fixture.start()
        fixture.simulator.produce(2)
        try await fixture.drained()
        #expect(fixture.simulator.statistics.issuedTokens > issued, "round \(round)")
        try await daemon.killed()
      }
      fixture.expectIntact()
      #expect(fixture.simulator.violations.isEmpty)
    }
  }

  /// The token that is being spent as the daemon stops is lost unless its successor is saved.
  @Test func aStopWaitsForTheSuccessorOfASpentRefreshToken() async throws {
    try await withTestEnvironment { fixture in
      try await login(fixture) { _ in "simulator-code" }
      let logins = fixture.simulator.statistics.requests(.token)
      fixture.simulator.script(.token, [.delayed(.seconds(4))])
      let interrupted = try fixture.start()
      try await fixture.simulator.wait { $0.requests(.token) > logins }
      try await Task.sleep(for: .milliseconds(500))
      #expect(try await interrupted.terminated() == .code(0))
      try await streamThroughExpiry(fixture)
    }
  }

  // MARK: Interrupted commands

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// It ends by the signal, but not before the successor is on the disk.
  @Test(arguments: signals) func anInterruptedCheckSavesTheSuccessorOfASpentRefreshToken(
    _ signal: Int32
  ) async throws {
    try await withTestEnvironment { fixture in
      try await login(fixture) { _ in "simulator-code" }
      let logins = fixture.simulator.statistics.requests(.token)
      fixture.simulator.script(.token, [.held])
      let (check, name) = try fixture.begin(["check", "--online", "--config", fixture.configuration])
      try await fixture.simulator.wait { $0.requests(.token) > logins }
      check.signal(signal)
      try await releaseAnswer(to: name, fixture)
      let outcome = try await fixture.outcome(of: check, name)
      #expect(outcome.exit == .signal(signal), "\(outcome.errors)")
      try await streamThroughExpiry(fixture)
    }
  }

  @Test(arguments: signals) func anInterruptedLoginSavesItsRefreshToken(_ signal: Int32) async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.script(.token, [.held])
      let outcome = try await attempt(fixture) { _ in
        "simulator-code"
      } meanwhile: { child, name in
        try await fixture.simulator.wait { $0.requests(.token) > 0 }
        child.signal(signal)
        try await releaseAnswer(to: name, fixture)
      }
      #expect(outcome.exit == .signal(signal), "\(outcome.errors)")
      try await streamThroughExpiry(fixture)
    }
  }

  @Test(arguments: signals) func aSignalEndsALoginThatHasSentNothing(_ signal: Int32) async throws {
    try await withTestEnvironment { fixture in
      let login = try await attempt(fixture) { _ in
        nil
      } meanwhile: { child, _ in
        child.signal(signal)
      }
      #expect(login.exit == .signal(signal), "\(login.errors)")
      #expect(fixture.simulator.statistics.requests(.token) == 0)
    }
  }

  // MARK: Steps

  private func login(_ fixture: TestEnvironment, _ answer: (String) throws -> String) async throws {
    let outcome = try await attempt(fixture, answer)
    #expect(outcome.exit == .code(0), "\(outcome.errors)")
  }

  /// Runs `login` and pastes what `answer` makes of the printed address.
  private func attempt(
    _ fixture: TestEnvironment, _ answer: (String) throws -> String?,
    meanwhile: (ChildProcess, _ name: String) async throws -> Void = { _, _ in }
  ) async throws -> TestEnvironment.Outcome {
    fixture.settings.auth[0] = #"method = "oauth2""#
    if fixture.settings.auth.count == 4 { fixture.settings.auth.remove(at: 2) }
    fixture.configure()
    let (child, name) = try fixture.begin(["login", "--config", fixture.configuration], hasInput: true)
    var url = ""
    try await eventually("the address to open") {
      let text = String(decoding: readFile(name + ".out"), as: UTF8.self)
      url = text.split(separator: "\n").first { $0.contains("http") }?.drop { $0 == " " }.description ?? ""
      return text.contains("press Enter")
    }
    #expect(url.hasPrefix("http://127.0.0.1:\(fixture.simulator.port)/"))
    if let text = try answer(url) { child.type(text) }
    try await meanwhile(child, name)
    return try await fixture.outcome(of: child, name)
  }

  /// Sends the token's answer as soon as the interrupted command reports that it waits for it.
  private func releaseAnswer(to name: String, _ fixture: TestEnvironment) async throws {
    try await eventually("the command to wait for Box's answer") {
      readFile(name + ".err").contains(Array("waiting for Box's answer".utf8))
    }
    fixture.simulator.releaseAnswers()
  }

  /// Events come before and after every token is revoked.
  private func streamThroughExpiry(_ fixture: TestEnvironment) async throws {
    fixture.simulator.produce(3)
    let daemon = try fixture.start()
    try await fixture.drained()
    try await fixture.simulator.wait { $0.heldPolls == 1 }
    fixture.simulator.expireTokens()
    fixture.simulator.produce(3)
    try await fixture.drained()
    #expect(try await daemon.terminated() == .code(0))
    fixture.expectIntact()
    #expect(fixture.simulator.violations.isEmpty)
  }
}
