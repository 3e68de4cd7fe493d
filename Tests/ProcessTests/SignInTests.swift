import BoxSimulator
import Glibc
import Testing

/// Every way to sign in, from the configuration to the spooled event.
@Suite struct SignInTests {
  @Test func clientCredentials() async throws {
    try await withPlace { place in
      try await streamThroughExpiry(place)
    }
  }

  @Test func clientCredentialsAsAnEnterprise() async throws {
    try await withPlace { place in
      place.settings.auth[2] = #"subject = "enterprise:456""#
      place.configure()
      let daemon = try place.start()
      place.simulator.produce(3, user: "456")
      try await place.drained(user: "456")
      #expect(try await daemon.terminated() == .code(0))
      place.expectWhole(user: "456")
    }
  }

  @Test func keyPair() async throws {
    try await withPlace { place in
      writeFile("\(place.root)/jwt.json", Array(place.simulator.options.credentials.jwtSettings.utf8))
      place.settings.auth = [
        #"method = "jwt""#, #"subject = "user:123""#, #"settings_file = "\#(place.root)/jwt.json""#,
      ]
      place.configure()
      try await streamThroughExpiry(place)
    }
  }

  /// Box's clock is ahead: the first assertion is refused, the second one is made from Box's time.
  @Test(arguments: [-600, 600]) func keyPairWithAWrongClock(_ offset: Int) async throws {
    var options = SimulatorOptions()
    options.clockOffset = .seconds(offset)
    try await withPlace(options) { place in
      writeFile("\(place.root)/jwt.json", Array(place.simulator.options.credentials.jwtSettings.utf8))
      place.settings.auth = [
        #"method = "jwt""#, #"subject = "user:123""#, #"settings_file = "\#(place.root)/jwt.json""#,
      ]
      place.configure()
      try await streamThroughExpiry(place)
    }
  }

  @Test func accessTokenThatSomethingElseRenews() async throws {
    try await withPlace { place in
      let file = "\(place.root)/access-token"
      writeFile(file, Array("simulator-access-token\n".utf8))
      place.settings.auth = [#"method = "access-token""#, #"access_token_file = "\#(file)""#]
      place.configure()
      let daemon = try place.start()
      place.simulator.produce(3)
      try await place.drained()
      try await place.simulator.wait { $0.heldPolls == 1 }

      place.simulator.expireTokens()
      place.simulator.addAccessToken("renewed-token")
      writeFile(file, Array("renewed-token\n".utf8))
      place.simulator.produce(3)
      try await place.drained()
      #expect(try await daemon.terminated() == .code(0))
      place.expectWhole()
    }
  }

  @Test func loginWithTheCode() async throws {
    try await withPlace { place in
      try await login(place) { _ in "simulator-code" }
      let spent = place.simulator.refreshTokens
      try await streamThroughExpiry(place)
      #expect(place.simulator.refreshTokens.isDisjoint(with: spent.subtracting(["simulator-refresh-token"])))
    }
  }

  @Test func loginWithTheRedirectURL() async throws {
    try await withPlace { place in
      try await login(place) { url in
        let state = try #require(url.split(separator: "state=").last)
        return "http://localhost/callback?code=simulator-code&state=\(state)"
      }
      try await streamThroughExpiry(place)
    }
  }

  @Test(arguments: ["&state=1234", "", "&state="]) func loginOfAnotherState(_ state: String) async throws {
    try await withPlace { place in
      let outcome = try await attempt(place) { _ in "http://localhost/callback?code=simulator-code\(state)" }
      #expect(outcome.exit == .code(77))
      #expect(outcome.errors.contains("state"))
      #expect(outcome.errors.isTwoLines)
      // The code has not been spent.
      #expect(place.simulator.statistics.requests(.token) == 0)
    }
  }

  @Test func loginWithAWrongCode() async throws {
    try await withPlace { place in
      let outcome = try await attempt(place) { _ in "no-such-code" }
      #expect(outcome.exit == .code(77))
      #expect(outcome.errors.isTwoLines)
    }
  }

  /// The daemon is killed again and again while refresh tokens rotate: none is spent twice.
  @Test func refreshTokensSurviveKills() async throws {
    try await withPlace { place in
      try await login(place) { _ in "simulator-code" }
      for round in 1...8 {
        place.simulator.expireTokens()
        let issued = place.simulator.statistics.issuedTokens
        let daemon = try place.start()
        place.simulator.produce(2)
        try await place.drained()
        #expect(place.simulator.statistics.issuedTokens > issued, "round \(round)")
        try await daemon.killed()
      }
      place.expectWhole()
      #expect(place.simulator.violations.isEmpty)
    }
  }

  // MARK: Steps

  private func login(_ place: Place, _ answer: (String) throws -> String) async throws {
    let outcome = try await attempt(place, answer)
    #expect(outcome.exit == .code(0), "\(outcome.errors)")
  }

  /// Runs `login` and pastes what `answer` makes of the printed address.
  private func attempt(_ place: Place, _ answer: (String) throws -> String) async throws -> Place.Outcome {
    place.settings.auth[0] = #"method = "oauth2""#
    if place.settings.auth.count == 4 { place.settings.auth.remove(at: 2) }
    place.configure()
    let (child, name) = try place.begin(["login", "--config", place.configuration], hasInput: true)
    var url = ""
    try await eventually("the address to open") {
      let text = String(decoding: readFile(name + ".out"), as: UTF8.self)
      url = text.split(separator: "\n").first { $0.contains("http") }?.drop { $0 == " " }.description ?? ""
      return text.contains("press Enter")
    }
    #expect(url.hasPrefix("http://127.0.0.1:\(place.simulator.port)/"))
    child.type(try answer(url))
    return try await place.outcome(of: child, name)
  }

  /// Events come before and after every token is revoked.
  private func streamThroughExpiry(_ place: Place) async throws {
    place.simulator.produce(3)
    let daemon = try place.start()
    try await place.drained()
    try await place.simulator.wait { $0.heldPolls == 1 }
    place.simulator.expireTokens()
    place.simulator.produce(3)
    try await place.drained()
    #expect(try await daemon.terminated() == .code(0))
    place.expectWhole()
    #expect(place.simulator.violations.isEmpty)
  }
}
