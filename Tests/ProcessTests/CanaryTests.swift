import BoxSimulator
import Testing

/// Secrets, tokens and channels stay where they belong, at the most talkative log level.
@Suite struct CanaryTests {
  @Test(arguments: ["trace", "debug"]) func secretsAreNowhere(_ level: String) async throws {
    var options = SimulatorOptions()
    options.credentials.clientSecret = "canary-of-the-client-secret"
    options.realtime.hold = .seconds(1)
    try await withPlace(options) { place in
      place.settings.level = level
      place.configure()
      let daemon = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      // Failures are when programs talk most.
      place.simulator.script(
        .events, [.status(500), .status(401), .html, .reset, .truncateJSON, .expireToken])
      place.simulator.script(.options, [.status(500), .status(403), .html, .reset, .truncateJSON])
      place.simulator.script(.poll, [.status(500), .html, .reset, .truncate, .message("nonsense")])
      place.simulator.script(.token, [.status(500), .html])
      place.simulator.produce(20)
      try await place.drained()
      try await eventually("the faults to be played") {
        [SimulatedEndpoint.options, .poll].allSatisfy { place.simulator.scripted($0) == 0 }
      }
      let status = try await place.run("status", "--json", "--config", place.configuration).output
      #expect(try await daemon.terminated() == .code(0))
      try expectAbsence(of: secrets(of: place), in: place, besides: ["client-secret"], status)
    }
  }

  @Test func loginKeepsItsSecrets() async throws {
    try await withPlace { place in
      place.settings.level = "trace"
      place.settings.auth[0] = #"method = "oauth2""#
      place.settings.auth.remove(at: 2)
      place.configure()
      let (login, name) = try place.begin(["login", "--config", place.configuration], hasInput: true)
      login.type("simulator-code")
      #expect(try await place.outcome(of: login, name).exit == .code(0))
      let refreshToken = try #require(place.simulator.refreshTokens.first { $0 != "simulator-refresh-token" })
      let daemon = try place.start()
      place.simulator.produce(3)
      try await place.drained()
      try await place.simulator.wait { $0.heldPolls == 1 }
      #expect(try await daemon.terminated() == .code(0))
      let kept = ["client-secret", "state/refresh_token"]
      let tokens = place.simulator.refreshTokens.union([refreshToken])
      try expectAbsence(of: secrets(of: place).union(tokens), in: place, besides: kept, "")
    }
  }

  /// What Box repeats of a token in an error must not be repeated further.
  @Test func anEchoedTokenIsHidden() async throws {
    try await withPlace { place in
      writeFile("\(place.root)/access-token", Array("canary-of-the-access-token".utf8))
      place.settings.auth = [
        #"method = "access-token""#, #"access_token_file = "\#(place.root)/access-token""#,
      ]
      place.settings.level = "trace"
      place.configure()
      place.simulator.addAccessToken("canary-of-the-access-token")
      let body =
        #"{"type":"error","code":"bad","message":"canary-of-the-access-token is bad","request_id":"r"}"#
      place.simulator.script(.events, [.status(500, body: body), .status(400, body: body)])
      let daemon = try place.start()
      place.simulator.produce(3)
      try await place.drained()
      #expect(try await daemon.terminated() == .code(0))
      try expectAbsence(of: ["canary-of-the-access-token"], in: place, besides: ["access-token"], "")
    }
  }

  /// The client secret, and every token and channel that went over the wire.
  private func secrets(of place: Place) throws -> Set<String> {
    var secrets: Set = [place.simulator.options.credentials.clientSecret]
    for request in place.simulator.requests {
      if let header = request.header("Authorization") { secrets.insert(String(header.dropFirst(7))) }
      if let channel = request.queryItem("channel") { secrets.insert(channel) }
    }
    try #require(secrets.count >= 3)
    return secrets
  }

  private func expectAbsence(
    of secrets: Set<String>, in place: Place, besides kept: [String], _ status: String
  ) throws {
    let found = files(below: place.root).filter { path in !kept.contains { path == "\(place.root)/\($0)" } }
    try #require(found.contains("\(place.root)/log"))
    for secret in secrets {
      #expect(!status.contains(secret))
      for path in found { #expect(!readFile(path).contains(secret), "\(secret) in \(path)") }
    }
  }
}
