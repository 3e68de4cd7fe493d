import BoxSimulator
import Glibc
import Testing

/// How the daemon and its commands end, and what they say then.
@Suite struct ExitTests {
  // MARK: 0

  @Test func terminationInTheMiddleOfALongPoll() async throws {
    try await withPlace { place in
      place.simulator.produce(600)
      let daemon = try place.start()
      try await place.drained()
      try await place.simulator.wait { $0.heldPolls == 1 }
      let start = ContinuousClock.now
      #expect(try await daemon.terminated() == .code(0))
      // Two seconds on a quiet machine; a poll is held for ten minutes.
      #expect(ContinuousClock.now - start < .seconds(30))
      place.expectWhole()
      #expect(place.log.contains("stopped"))
    }
  }

  @Test(arguments: [SIGTERM, SIGINT]) func terminationInTheMiddleOfABacklog(_ signal: Int32) async throws {
    try await withPlace { place in
      place.simulator.produce(6000)
      let daemon = try place.start()
      try await eventually("the first events") { place.spoolSize() > 0 }
      daemon.signal(signal)
      #expect(try await daemon.ended() == .code(0))
      let next = try place.start()
      // All may be spooled already; before it has started, a signal would simply end it.
      try await eventually("the second start") {
        place.log.split(separator: "\n").count { $0.contains(" started ") } == 2
      }
      try await place.drained()
      #expect(try await next.terminated() == .code(0))
      place.expectWhole()
    }
  }

  @Test func terminationWhileBoxSaysNothing() async throws {
    try await withPlace { place in
      place.simulator.setFaultRates(.token, FaultRates([.init(.stall, percent: 100)]))
      let daemon = try place.start()
      try await place.simulator.wait { $0.requests(.token) > 0 }
      let start = ContinuousClock.now
      #expect(try await daemon.terminated() == .code(0))
      #expect(ContinuousClock.now - start < .seconds(30))
    }
  }

  // MARK: 64, 69

  @Test(arguments: [
    ["run", "--nonsense"], ["frobnicate"], ["status", "superfluous"], ["demo", "--seconds", "0"],
  ])
  func wrongUsage(_ arguments: [String]) async throws {
    try await withPlace { place in
      let (child, name) = try place.begin(arguments)
      let outcome = try await place.outcome(of: child, name)
      #expect(outcome.exit == .code(64))
      #expect(outcome.errors.contains("Usage: box-eventd"))
    }
  }

  @Test func statusWithoutADaemon() async throws {
    try await withPlace { place in
      let outcome = try await place.run("status", "--config", place.configuration)
      #expect(outcome.exit == .code(69))
      #expect(outcome.errors.isTwoLines)
      #expect(outcome.output.isEmpty)
    }
  }

  // MARK: 65

  @Test func anotherFeedsPosition() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "777"]
    try await withPlace(options) { place in
      place.simulator.produce(5, user: "123")
      let first = try place.start()
      try await place.drained()
      #expect(try await first.terminated() == .code(0))

      place.settings.streams[0].asUser = "777"
      place.configure()
      let before = place.spool()
      let second = try place.start()
      #expect(try await second.ended() == .code(65))
      #expect(place.log.contains("box-eventd position set"))
      #expect(place.spool() == before)
      #expect(place.lastLines(2).isTwoLines)
    }
  }

  /// The other stream goes on, and the status names the one that can't.
  @Test func anotherFeedsPositionBesideAHealthyStream() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "777"]
    try await withPlace(options) { place in
      let first = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      #expect(try await first.terminated() == .code(0))
      place.settings.streams[0].asUser = "777"
      place.settings.streams.append(.init(name: "healthy"))
      place.configure()
      let second = try place.start()
      place.simulator.produce(3, user: "123")
      try await place.drained("healthy", user: "123")
      let streams = try await place.status().streams
      #expect(streams.first { $0.name == "default" }?.state == "blocked")
      #expect(streams.first { $0.name == "default" }?.error?.contains("position set") == true)
      #expect(try await second.terminated() == .code(0))
    }
  }

  // MARK: 75

  @Test(arguments: ["state", "spool"]) func secondInstance(_ shared: String) async throws {
    try await withPlace { place in
      let first = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      place.settings.socket = "\(place.root)/other.sock"
      if shared == "state" {
        place.settings.spool = [#"directory = "\#(place.root)/other-spool""#]
      } else {
        place.settings.state = "\(place.root)/other-state"
      }
      place.configure()
      let outcome = try await place.run("run", "--config", place.configuration)
      #expect(outcome.exit == .code(75))
      #expect(outcome.errors.contains("process \(first.processID)"))
      #expect(outcome.errors.contains("\(place.root)/\(shared)"))
      #expect(outcome.errors.isTwoLines)
      // The first one doesn't notice.
      place.simulator.produce(2)
      try await place.drained()
      #expect(try await first.terminated() == .code(0))
      place.expectWhole()
    }
  }

  // MARK: 77

  /// Nobody has logged in, or the login is dead.
  @Test(arguments: [false, true]) func everyStreamNeedsAPerson(_ hasLogin: Bool) async throws {
    try await withPlace { place in
      place.settings.auth[0] = #"method = "oauth2""#
      place.settings.auth.remove(at: 2)
      place.settings.streams.append(.init(name: "second"))
      place.configure()
      if hasLogin {
        let (login, name) = try place.begin(["login", "--config", place.configuration], hasInput: true)
        login.type("simulator-code")
        #expect(try await place.outcome(of: login, name).exit == .code(0))
        let body = #"{"error":"invalid_grant","error_description":"Refresh token has expired"}"#
        place.simulator.setFaultRates(
          .token, FaultRates([.init(.status(400, body: body), percent: 100)]))
      }
      let daemon = try place.start()
      #expect(try await daemon.ended() == .code(77))
      #expect(place.lastLines(2).isTwoLines)
      #expect(place.lastLines(2).contains("box-eventd login"))
    }
  }

  @Test func oneHealthyStreamKeepsTheProcess() async throws {
    try await withPlace { place in
      place.settings.streams.append(.init(name: "nobody", subject: "user:999"))
      place.configure()
      let daemon = try place.start()
      place.simulator.produce(3)
      try await place.drained()
      try await eventually("the blocked stream in the status") {
        let report = try await place.status()
        return report.state == "degraded" && report.streams.first { $0.name == "nobody" }?.state == "blocked"
      }
      #expect(daemon.isRunning)
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  // MARK: 78

  @Test func unknownKey() async throws {
    try await withPlace { place in
      place.settings.spool.append(#"segment_sice = "1MiB""#)
      place.configure()
      let line = place.settings.text.split(separator: "\n", omittingEmptySubsequences: false)
        .firstIndex { $0.hasPrefix("segment_sice") }
      for command in ["run", "status", "login"] {
        let outcome = try await place.run(command, "--config", place.configuration)
        #expect(outcome.exit == .code(78))
        #expect(outcome.errors.contains("\(place.configuration):\(try #require(line) + 1)"))
        #expect(outcome.errors.contains("segment_sice"))
        #expect(outcome.errors.contains("segment_size"))
      }
    }
  }

  @Test func noConfiguration() async throws {
    try await withPlace { place in
      let outcome = try await place.run("run", "--config", "\(place.root)/nowhere.toml")
      #expect(outcome.exit == .code(78))
      #expect(outcome.errors.contains("\(place.root)/nowhere.toml"))
    }
  }

  @Test func noSecret() async throws {
    try await withPlace { place in
      unlink("\(place.root)/client-secret")
      let daemon = try place.start()
      #expect(try await daemon.ended() == .code(78))
      #expect(place.log.contains("\(place.root)/client-secret"))
    }
  }
}

extension String {
  /// What is wrong, and what to do: two lines, the second indented.
  var isTwoLines: Bool {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    return lines.count == 3 && lines[0].hasPrefix("box-eventd: ") && lines[1].hasPrefix("  ")
      && lines[1].count > 2 && lines[2].isEmpty
  }
}

extension Place {
  /// The end of the log.
  func lastLines(_ count: Int) -> String {
    log.split(separator: "\n").suffix(count).joined(separator: "\n") + "\n"
  }
}
