import BoxSimulator
import Glibc
import Testing

/// SIGHUP applies what changed and leaves the rest undisturbed.
@Suite struct ReloadTests {
  private static var options: SimulatorOptions {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "201", "202", "203"]
    return options
  }

  @Test func addsAndRemovesStreamsWithoutDisturbingOthers() async throws {
    try await withTestEnvironment(Self.options) { fixture in
      fixture.settings.streams = [.init(name: "kept", asUser: "201"), .init(name: "removed", asUser: "202")]
      fixture.configure()
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 2 }
      let before = fixture.calls(asUser: "201")

      fixture.settings.streams[1] = .init(name: "added", asUser: "203")
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.logged("configuration reloaded")
      fixture.simulator.produce(4, user: "203")
      try await fixture.drained("added", user: "203")
      try await fixture.simulator.wait { $0.heldPolls == 2 }
      #expect(fixture.calls(asUser: "201") == before)

      for user in ["201", "202", "203"] { fixture.simulator.produce(3, user: user) }
      try await fixture.drained("kept", user: "201")
      try await fixture.drained("added", user: "203")
      #expect(fixture.spoolSize("removed") == 0)
      #expect(try await fixture.status().streams.map(\.name) == ["added", "kept"])

      // Added again, it continues at its position.
      fixture.settings.streams.append(.init(name: "removed", asUser: "202"))
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.drained("removed", user: "202")
      #expect(try await daemon.terminated() == .code(0))
      for (stream, user) in [("kept", "201"), ("removed", "202"), ("added", "203")] {
        fixture.expectIntact(stream, user: user)
      }
    }
  }

  /// A blocked stream is tried every 15 min; a reload reports that something has changed.
  @Test func triesABlockedStreamAtOnce() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.setFaultRates(.events, FaultRates([.init(.status(403), percent: 100)]))
      let daemon = try fixture.start()
      try await fixture.logged("stream blocked")
      fixture.simulator.setFaultRates(.events, FaultRates())
      fixture.simulator.produce(3)
      daemon.signal(SIGHUP)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  /// So is one whose recovery was refused: what was wrong with its files may be fixed.
  @Test func triesARefusedRecoveryAtOnce() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(3)
      let first = try fixture.start()
      try await fixture.drained()
      #expect(try await first.terminated() == .code(0))
      #expect(chmod("\(fixture.root)/state/default", 0o777) == 0)
      let daemon = try fixture.start()
      try await fixture.logged("stream blocked")
      #expect(chmod("\(fixture.root)/state/default", 0o700) == 0)
      fixture.simulator.produce(3)
      daemon.signal(SIGHUP)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  /// So is one that was blocked while it ran.
  @Test func triesAStreamThatWasBlockedWhileRunningAtOnce() async throws {
    try await withTestEnvironment { fixture in
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      let quarantine = "\(fixture.root)/spool/default/quarantine.ndjson"
      try #require(symlink("/nowhere", quarantine) == 0)
      let position = fixture.simulator.newestPosition()
      fixture.simulator.script(.events, [.body(#"{"next_stream_position":\#(position),"entries":[5]}"#)])
      fixture.simulator.wakePolls()
      try await fixture.logged("stream blocked")
      try #require(unlink(quarantine) == 0)
      fixture.simulator.produce(3)
      daemon.signal(SIGHUP)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test func usesAnotherSecretFile() async throws {
    try await withTestEnvironment { fixture in
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      writeFile("\(fixture.root)/client-secret", Array("useless".utf8))
      writeFile("\(fixture.root)/second", Array(fixture.simulator.options.credentials.clientSecret.utf8))
      fixture.settings.auth[3] = #"client_secret_file = "\#(fixture.root)/second""#
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.logged("configuration reloaded")
      fixture.simulator.expireTokens()
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(!fixture.log.contains("sign in"))
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  @Test func anInvalidFileLeavesThePreviousOneInForce() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(environment: manager.environment)
      try await manager.received("READY")
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      let options = fixture.simulator.statistics.requests(.options)
      for bad in ["[[stream]]\nname = 7\n", "[spool", "[spool]\nsegment_sice = 1\n", ""] {
        let reloads = manager.messages(with: "RELOADING").count
        writeFile(fixture.configuration, Array(bad.utf8), mode: 0o644)
        daemon.signal(SIGHUP)
        try await manager.received("RELOADING", times: reloads + 1)
        try await manager.received("READY", times: reloads + 2)
        let command = "box-eventd check --config \(fixture.configuration)"
        // With READY, or where a newer one has replaced it, after it.
        try await eventually("the status, got \(manager.messages(with: "STATUS").last?["STATUS"] ?? "")") {
          manager.messages(with: "STATUS").last?["STATUS"]?.hasSuffix(
            "; configuration on disk rejected by a reload: run \(command)") == true
        }
        #expect(
          fixture.log.split(separator: "\n").count { $0.contains("the previous one stays in force") }
            > reloads)
      }
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(fixture.simulator.statistics.requests(.options) == options)
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
    }
  }

  @Test func namesKeysThatNeedARestartAndAppliesTheOthers() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(environment: manager.environment)
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      let before = fixture.settings
      fixture.settings.spool += [#"segment_size = "2MiB""#, #"keep_free = "1MiB""#]
      fixture.settings.streams.append(.init(name: "added"))
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.logged("[spool] segment_size, [spool] keep_free changed")
      try await fixture.logged("configuration reloaded")
      fixture.simulator.produce(3)
      try await fixture.drained("added")
      let difference =
        "configuration on disk differs in [spool] segment_size, [spool] keep_free: restart to use it"
      try await eventually("the difference in STATUS=, got \(manager.messages.last?.text ?? "")") {
        manager.messages(with: "STATUS").last?["STATUS"]?.hasSuffix("; " + difference) == true
      }
      let status = try await fixture.run("status", "--config", fixture.configuration)
      #expect(status.output.contains("\n\n\(difference)\n"), "\(status.output)")

      fixture.settings.spool = before.spool
      fixture.configure()
      daemon.signal(SIGHUP)
      try await eventually("no difference") {
        (try? await fixture.run("status", "--config", fixture.configuration))?.output.contains("on disk")
          == false
      }
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  /// Until the restart they would spool another user's events; after it they would be blocked.
  @Test func leavesStreamsOfAnotherSubjectToTheRestart() async throws {
    try await withTestEnvironment(Self.options) { fixture in
      for user in ["123", "201"] { fixture.simulator.produce(3, user: user) }
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      fixture.settings.auth[2] = #"subject = "user:201""#
      fixture.settings.streams += [.init(name: "waiting"), .init(name: "added", subject: "user:123")]
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.logged("[auth] subject, stream waiting changed")
      try await fixture.logged("configuration reloaded")
      try await fixture.drained("added", user: "123")
      let status = try await fixture.run("status", "--config", fixture.configuration)
      let difference = "configuration on disk differs in [auth] subject, stream waiting: restart to use it"
      #expect(status.output.contains("\n\n\(difference)\n"), "\(status.output)")
      #expect(try await fixture.status().streams.map(\.name) == ["added", "default"])
      #expect(try await daemon.terminated() == .code(0))

      let next = try fixture.start()
      try await fixture.drained("waiting", user: "201")
      #expect(try await next.terminated() == .code(0))
      fixture.expectIntact("waiting", user: "201")
      fixture.expectIntact("added", user: "123")
    }
  }

  @Test func appliesANewLogLevel() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.level = "error"
      fixture.configure()
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(fixture.log.isEmpty)
      fixture.settings.level = "info"
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.logged("configuration reloaded")
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test func survivesManyReloadsAtOnce() async throws {
    try await withTestEnvironment(Self.options) { fixture in
      fixture.settings.streams = [.init(name: "kept", asUser: "201")]
      fixture.configure()
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      for round in 0..<20 {
        fixture.settings.streams = [.init(name: "kept", asUser: "201")]
        if round % 2 == 0 { fixture.settings.streams.append(.init(name: "flickering", asUser: "202")) }
        fixture.configure()
        fixture.simulator.produce(20, user: "201")
        fixture.simulator.produce(20, user: "202")
        daemon.signal(SIGHUP)
      }
      fixture.settings.streams = [
        .init(name: "kept", asUser: "201"), .init(name: "flickering", asUser: "202"),
      ]
      fixture.configure()
      daemon.signal(SIGHUP)
      try await fixture.drained("kept", user: "201")
      try await fixture.drained("flickering", user: "202")
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact("kept", user: "201")
      fixture.expectIntact("flickering", user: "202")
    }
  }

  /// Its directory can't be used until somebody has corrected it.
  @Test func triesARefusedDirectoryAgain() async throws {
    try await withTestEnvironment { fixture in
      let first = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await first.terminated() == .code(0))
      try #require(chmod("\(fixture.root)/spool/default", 0o777) == 0)
      fixture.simulator.produce(3)
      let daemon = try fixture.start()
      try await fixture.logged("stream blocked")
      #expect(fixture.log.contains("Then run: systemctl reload box-eventd."))
      try #require(chmod("\(fixture.root)/spool/default", 0o750) == 0)
      daemon.signal(SIGHUP)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  /// Before the daemon has begun, in the moment in which the process makes its first thread.
  @Test(
    .enabled(if: Tracer.isAvailable, "strace can't be used here"), arguments: ["HUP", "USR1", "USR2", "PIPE"])
  func aSignalAtTheVeryStartEndsNothing(signal: String) async throws {
    try await withTestEnvironment { fixture in
      let daemon = try fixture.start(under: Tracer.command("clone3:signal=\(signal):when=1"))
      // A reload that is asked for so early is done later.
      try await eventually("a reload, or the end") {
        signal != "HUP" || fixture.log.contains("configuration reloaded") || !daemon.isRunning
      }
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
    }
  }
}

extension TestEnvironment {
  /// Calls of OPTIONS and polls for this user so far.
  fileprivate func calls(asUser user: String) -> Int {
    simulator.requests.count { $0.endpoint == .options && $0.header("As-User") == user }
  }
}
