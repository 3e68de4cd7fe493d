import BoxSimulator
import Testing

/// Secrets, tokens and channels appear in no log, file or answer, at the most verbose log levels.
@Suite struct SecretLeakTests {
  @Test(arguments: ["trace", "debug"]) func secretsAppearNowhere(_ level: String) async throws {
    var options = SimulatorOptions()
    options.credentials.clientSecret = "canary-of-the-client-secret"
    options.realtime.hold = .seconds(1)
    try await withTestEnvironment(options) { fixture in
      fixture.settings.level = level
      fixture.configure()
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      // Failures log the most.
      fixture.simulator.script(
        .events, [.status(500), .status(401), .html, .reset, .truncateJSON, .expireToken])
      fixture.simulator.script(.token, [.status(500), .html])
      fixture.simulator.produce(20)
      try await fixture.drained()
      // One failure at a time: a poll between two ends the back-off, which otherwise grows to minutes.
      let faults: [(options: Fault, poll: Fault)] = [
        (.status(500), .status(500)), (.status(403), .html), (.html, .reset), (.reset, .truncate),
        (.truncateJSON, .message("nonsense")),
      ]
      for fault in faults {
        fixture.simulator.script(.options, [fault.options])
        fixture.simulator.script(.poll, [fault.poll])
        try await eventually("the faults to be played, and a poll") {
          [SimulatedEndpoint.options, .poll].allSatisfy { fixture.simulator.scripted($0) == 0 }
            && fixture.simulator.statistics.heldPolls == 1
        }
      }
      for line in [
        "default: called Box (bytes=", "endpoint=poll", "endpoint=options", "request_id=",
        "default: state changed (state=polling)",
      ] { #expect(fixture.log.contains(line), "\(line)") }
      #expect(
        fixture.log.split(separator: "\n").contains {
          $0.contains(" called Box (") && $0.contains("endpoint=token")
        })
      let status = try await fixture.run("status", "--json", "--config", fixture.configuration).output
      #expect(try await daemon.terminated() == .code(0))
      try expectAbsence(of: secrets(of: fixture), in: fixture, besides: ["client-secret"], status)
    }
  }

  @Test func loginShowsNoSecrets() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.level = "trace"
      fixture.settings.auth[0] = #"method = "oauth2""#
      fixture.settings.auth.remove(at: 2)
      fixture.configure()
      let (login, name) = try fixture.begin(["login", "--config", fixture.configuration], hasInput: true)
      login.type("simulator-code")
      #expect(try await fixture.outcome(of: login, name).exit == .code(0))
      let refreshToken = try #require(
        fixture.simulator.refreshTokens.first { $0 != "simulator-refresh-token" })
      let daemon = try fixture.start()
      fixture.simulator.produce(3)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await daemon.terminated() == .code(0))
      let kept = ["client-secret", "state/refresh_token"]
      let tokens = fixture.simulator.refreshTokens.union([refreshToken])
      try expectAbsence(of: secrets(of: fixture).union(tokens), in: fixture, besides: kept, "")
    }
  }

  /// A token that Box repeats in an error must not be logged.
  @Test func hidesATokenThatBoxRepeats() async throws {
    try await withTestEnvironment { fixture in
      writeFile("\(fixture.root)/access-token", Array("canary-of-the-access-token".utf8))
      fixture.settings.auth = [
        #"method = "access-token""#, #"access_token_file = "\#(fixture.root)/access-token""#,
      ]
      fixture.settings.level = "trace"
      fixture.configure()
      fixture.simulator.addAccessToken("canary-of-the-access-token")
      let body =
        #"{"type":"error","code":"bad","message":"canary-of-the-access-token is bad","request_id":"r"}"#
      fixture.simulator.script(.events, [.status(500, body: body), .status(400, body: body)])
      let daemon = try fixture.start()
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      try expectAbsence(of: ["canary-of-the-access-token"], in: fixture, besides: ["access-token"], "")
    }
  }

  /// The client secret, and every token and channel that went over the wire.
  private func secrets(of fixture: TestEnvironment) throws -> Set<String> {
    var secrets: Set = [fixture.simulator.options.credentials.clientSecret]
    for request in fixture.simulator.requests {
      if let header = request.header("Authorization") { secrets.insert(String(header.dropFirst(7))) }
      if let channel = request.query["channel"] { secrets.insert(channel) }
    }
    try #require(secrets.count >= 3)
    return secrets
  }

  private func expectAbsence(
    of secrets: Set<String>, in fixture: TestEnvironment, besides kept: [String], _ status: String
  ) throws {
    let found = files(below: fixture.root).filter { path in !kept.contains { path == "\(fixture.root)/\($0)" }
    }
    try #require(found.contains("\(fixture.root)/log"))
    for secret in secrets {
      #expect(!status.contains(secret))
      for path in found { #expect(!readFile(path).contains(secret), "\(secret) in \(path)") }
    }
  }
}
