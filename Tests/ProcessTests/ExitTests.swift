import BoxSimulator
import Glibc
import Testing

/// How the daemon and its commands end, and what they print then.
@Suite struct ExitTests {
  // MARK: 0

  @Test func stopsDuringALongPoll() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(600)
      let daemon = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      let start = ContinuousClock.now
      #expect(try await daemon.terminated() == .code(0))
      // Two seconds on a quiet machine; a poll is held for ten minutes.
      #expect(ContinuousClock.now - start < .seconds(30))
      fixture.expectIntact()
      #expect(fixture.log.contains("stopped"))
    }
  }

  @Test(arguments: [SIGTERM, SIGINT]) func stopsDuringABacklog(_ signal: Int32) async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(6000)
      let daemon = try fixture.start()
      try await eventually("the first events") { fixture.spoolSize() > 0 }
      daemon.signal(signal)
      #expect(try await daemon.ended() == .code(0))
      let next = try fixture.start()
      // All may be spooled already. Before it has started, a signal would end it at once.
      try await eventually("the second start") {
        fixture.log.split(separator: "\n").count { $0.contains(" started ") } == 2
      }
      try await fixture.drained()
      #expect(try await next.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  @Test func stopsWhileBoxDoesNotAnswer() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.setFaultRates(.token, FaultRates([.init(.stall, percent: 100)]))
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.requests(.token) > 0 }
      let start = ContinuousClock.now
      #expect(try await daemon.terminated() == .code(0))
      #expect(ContinuousClock.now - start < .seconds(30))
    }
  }

  // MARK: 64, 69

  @Test(arguments: [
    ["run", "--nonsense"], ["frobnicate"], ["status", "superfluous"], ["demo", "--seconds", "0"],
    ["tail", "-n", "+5"], ["tail", "-n", "-1"], ["tail", "-n", "x"],
  ])
  func refusesWrongUsage(_ arguments: [String]) async throws {
    try await withTestEnvironment { fixture in
      let (child, name) = try fixture.begin(arguments)
      let outcome = try await fixture.outcome(of: child, name)
      #expect(outcome.exit == .code(64))
      #expect(
        outcome.errors.isTwoLines && outcome.errors.contains("\n  Usage: box-eventd"), "\(outcome.errors)")
    }
  }

  @Test func statusReportsThatTheDaemonIsNotRunning() async throws {
    try await withTestEnvironment { fixture in
      let outcome = try await fixture.run("status", "--config", fixture.configuration)
      #expect(outcome.exit == .code(69))
      #expect(outcome.errors.isTwoLines)
      #expect(outcome.output.isEmpty)
    }
  }

  // MARK: 65

  @Test func refusesAnotherFeedsPosition() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "777"]
    try await withTestEnvironment(options) { fixture in
      fixture.simulator.produce(5, user: "123")
      let first = try fixture.start()
      try await fixture.drained()
      #expect(try await first.terminated() == .code(0))

      fixture.settings.streams[0].asUser = "777"
      fixture.configure()
      let before = fixture.spool()
      let second = try fixture.startEndingWhenBlocked()
      #expect(try await second.ended() == .code(65))
      #expect(fixture.log.contains("box-eventd position set --config \(fixture.configuration) default"))
      #expect(fixture.spool() == before)
      #expect(fixture.lastLines(2).isTwoLines)
    }
  }

  /// The other stream continues, and the status names the blocked one.
  @Test func blocksOnlyTheStreamWithAnotherFeedsPosition() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "777"]
    try await withTestEnvironment(options) { fixture in
      let first = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await first.terminated() == .code(0))
      fixture.settings.streams[0].asUser = "777"
      fixture.settings.streams.append(.init(name: "healthy"))
      fixture.configure()
      let second = try fixture.start()
      fixture.simulator.produce(3, user: "123")
      try await fixture.drained("healthy", user: "123")
      let streams = try await fixture.status().streams
      #expect(streams.first { $0.name == "default" }?.state == "blocked")
      #expect(
        streams.first { $0.name == "default" }?.error?.contains(
          "box-eventd position set --config \(fixture.configuration) default") == true)
      #expect(try await second.terminated() == .code(0))
    }
  }

  // MARK: 75

  @Test(arguments: ["state", "spool"]) func refusesASecondInstance(_ shared: String) async throws {
    try await withTestEnvironment { fixture in
      let first = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.settings.socket = "\(fixture.root)/other.sock"
      if shared == "state" {
        fixture.settings.spool = [#"directory = "\#(fixture.root)/other-spool""#]
      } else {
        fixture.settings.state = "\(fixture.root)/other-state"
      }
      fixture.configure()
      let outcome = try await fixture.run("run", "--config", fixture.configuration)
      #expect(outcome.exit == .code(75))
      #expect(outcome.errors.contains("process \(first.processID)"))
      #expect(outcome.errors.contains("\(fixture.root)/\(shared)"))
      #expect(outcome.errors.isTwoLines)
      // The first one is not disturbed.
      fixture.simulator.produce(2)
      try await fixture.drained()
      #expect(try await first.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  // MARK: 77

  /// Without a login, or with an expired one.
  @Test(arguments: [false, true]) func endsWhenEveryStreamRequiresALogin(_ hasLogin: Bool) async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.auth[0] = #"method = "oauth2""#
      fixture.settings.auth.remove(at: 2)
      fixture.settings.streams.append(.init(name: "second"))
      fixture.configure()
      if hasLogin {
        let (login, name) = try fixture.begin(["login", "--config", fixture.configuration], hasInput: true)
        login.type("simulator-code")
        #expect(try await fixture.outcome(of: login, name).exit == .code(0))
        let body = #"{"error":"invalid_grant","error_description":"Refresh token has expired"}"#
        fixture.simulator.setFaultRates(
          .token, FaultRates([.init(.status(400, body: body), percent: 100)]))
      }
      let daemon = try fixture.startEndingWhenBlocked()
      #expect(try await daemon.ended() == .code(77))
      #expect(fixture.lastLines(2).isTwoLines)
      #expect(fixture.lastLines(2).contains("box-eventd login --config \(fixture.configuration)"))
    }
  }

  /// One in ten of Box's refusals is spurious: nothing that may pass ends the process, or needs a restart.
  @Test(arguments: ["invalid_client", "invalid_grant", "unauthorized_client", "access_denied"])
  func continuesAfterARefusalThatPasses(_ error: String) async throws {
    try await withTestEnvironment { fixture in
      let refusal = Fault.status(400, body: #"{"error":"\#(error)","error_description":"no"}"#)
      fixture.simulator.script(.token, [refusal, refusal])
      let daemon = try fixture.start()
      fixture.simulator.produce(3)
      try await fixture.logged("cannot sign in")
      try await fixture.drained()
      try await fixture.logged("signed in to Box")
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test func continuesWithOneHealthyStream() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.streams.append(.init(name: "unknown", subject: "user:999"))
      fixture.configure()
      let daemon = try fixture.start()
      fixture.simulator.produce(3)
      try await fixture.drained()
      try await eventually("the blocked stream in the status") {
        let report = try await fixture.status()
        return report.state == "degraded" && report.streams.first { $0.name == "unknown" }?.state == "blocked"
      }
      #expect(daemon.isRunning)
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  // MARK: 78

  @Test func refusesAnUnknownKey() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.spool.append(#"segment_sice = "1MiB""#)
      fixture.configure()
      let line = fixture.settings.text.split(separator: "\n", omittingEmptySubsequences: false)
        .firstIndex { $0.hasPrefix("segment_sice") }
      for command in ["run", "login"] {
        let outcome = try await fixture.run(command, "--config", fixture.configuration)
        #expect(outcome.exit == .code(78))
        #expect(outcome.errors.contains("\(fixture.configuration):\(try #require(line) + 1)"))
        #expect(outcome.errors.contains("segment_sice"))
        #expect(outcome.errors.contains("segment_size"))
      }
    }
  }

  @Test func printsEveryProblemOnce() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.spool += [#"segment_sice = "1MiB""#, #"max_age = "long""#]
      fixture.configure()
      let outcome = try await fixture.run("run", "--config", fixture.configuration)
      #expect(outcome.exit == .code(78))
      let lines = outcome.errors.split(separator: "\n")
      #expect(lines.count == 4, "\(lines)")
      #expect(lines.count { $0.contains("segment_sice") } == 1)
      #expect(lines.count { $0.contains("max_age") } == 1)
    }
  }

  @Test func refusesAMissingConfiguration() async throws {
    try await withTestEnvironment { fixture in
      let outcome = try await fixture.run("run", "--config", "\(fixture.root)/nowhere.toml")
      #expect(outcome.exit == .code(78))
      #expect(outcome.errors.contains("\(fixture.root)/nowhere.toml"))
    }
  }

  @Test func refusesAMissingSecret() async throws {
    try await withTestEnvironment { fixture in
      unlink("\(fixture.root)/client-secret")
      let daemon = try fixture.start()
      #expect(try await daemon.ended() == .code(78))
      #expect(fixture.log.contains("\(fixture.root)/client-secret"))
    }
  }
}

extension String {
  /// What happened, and what to do: two lines, the second indented.
  var isTwoLines: Bool {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    return lines.count == 3 && lines[0].hasPrefix("box-eventd: ") && lines[1].hasPrefix("  ")
      && lines[1].count > 2 && lines[2].isEmpty
  }
}

extension TestEnvironment {
  /// The end of the log.
  func lastLines(_ count: Int) -> String {
    log.split(separator: "\n").suffix(count).joined(separator: "\n") + "\n"
  }
}
