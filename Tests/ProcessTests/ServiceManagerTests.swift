import BoxSimulator
import Glibc
import TestSystem
import Testing

/// The messages of the daemon to the service manager, and their order.
@Suite struct ServiceManagerTests {
  @Test func sendsReadyStatusReloadingAndStoppingInOrder() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(environment: manager.environment)
      try await manager.received("READY")
      try await manager.received("STATUS")
      try await fixture.simulator.wait { $0.heldPolls == 1 }

      let asked = MonotonicTime.now / 1000
      daemon.signal(SIGHUP)
      let reload = try await manager.received("RELOADING")
      // systemd ignores an answer that is older than its request.
      #expect(try #require(reload["MONOTONIC_USEC"].flatMap(UInt64.init)) >= asked)
      try await manager.received("READY", times: 2)

      #expect(try await daemon.terminated() == .code(0))
      let order = manager.order.filter { ["READY", "RELOADING", "STOPPING"].contains($0) }
      #expect(order == ["READY", "RELOADING", "READY", "STOPPING"])
      #expect(manager.messages(with: "ERRNO").isEmpty)
    }
  }

  @Test func becomesReadyWithoutBox() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.setFaultRates(.token, FaultRates([.init(.status(503), percent: 100)]))
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(environment: manager.environment)
      try await manager.received("READY")
      try await eventually("the problem in STATUS=, got \(manager.messages.map(\.text))") {
        manager.messages(with: "STATUS").contains { $0["STATUS"]?.contains("503") == true }
      }
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  /// A line that was written but never acknowledged makes recovery write and sync; with a slow disk
  /// that takes its time.
  @Test(.enabled(if: Tracer.isAvailable, "strace can't be used here"))
  func readyWaitsForRecovery() async throws {
    try await withTestEnvironment { fixture in
      try await leaveWorkForRecovery(fixture)
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(
        environment: manager.environment, under: Tracer.command("fdatasync:delay_enter=20s:when=1"))
      try await manager.received("EXTEND_TIMEOUT_USEC")
      #expect(manager.messages(with: "READY").isEmpty)
      try await eventually("the status of a daemon that is starting") {
        (try? await fixture.status())?.state == "starting"
      }
      // A reload in the meantime proves nothing.
      daemon.signal(SIGHUP)
      try await fixture.logged("configuration reloaded")
      #expect(manager.messages(with: "READY").isEmpty && manager.messages(with: "RELOADING").isEmpty)
      #expect(
        manager.messages(with: "STATUS").last?["STATUS"] == "Starting: recovering default (1 of 1)")
      try await manager.received("READY")
      #expect(fixture.spool().contains("written but not acknowledged"))
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test(.enabled(if: Tracer.isAvailable, "strace can't be used here"))
  func stopsBeforeItIsReady() async throws {
    try await withTestEnvironment { fixture in
      try await leaveWorkForRecovery(fixture)
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let daemon = try fixture.start(
        environment: manager.environment, under: Tracer.command("fdatasync:delay_enter=30s:when=1"))
      try await manager.received("EXTEND_TIMEOUT_USEC")
      #expect(try await daemon.terminated() == .code(0), "\(fixture.lastLines(3))")
      #expect(manager.messages(with: "READY").isEmpty)
      #expect(!manager.messages(with: "STOPPING").isEmpty)
    }
  }

  /// A spool whose last line was written but never acknowledged.
  private func leaveWorkForRecovery(_ fixture: TestEnvironment) async throws {
    fixture.simulator.produce(20)
    let first = try fixture.start()
    try await fixture.drained()
    try await fixture.simulator.wait { $0.heldPolls == 1 }
    try await first.killed()
    let segment = "\(fixture.root)/spool/default/events-0000000000000000.ndjson"
    let own = Array(#"{"event_id":"written but not acknowledged"}"#.utf8) + [10]
    writeFile(segment, readFile(segment) + own, mode: 0o640)
  }

  @Test func pingsTheWatchdogAtHalfItsInterval() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let environment = manager.environment.merging(["WATCHDOG_USEC": "600000"]) { $1 }
      let start = ContinuousClock.now
      // The shell becomes the daemon, so that its own id is the daemon's.
      let daemon = try fixture.start(
        environment: environment,
        under: ["/bin/sh", "-c", "export WATCHDOG_PID=$$; exec \"$@\"", "sh"])
      let seventh = try await manager.received("WATCHDOG", times: 7).at
      // Six pauses of 300 ms; a busy machine makes them longer, nothing makes them shorter.
      #expect(seventh - start >= .milliseconds(1800))
      #expect(try await daemon.terminated() == .code(0))
    }
  }

  @Test func ignoresTheWatchdogOfAnotherProcess() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let environment = manager.environment.merging(["WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"]) { $1 }
      let daemon = try fixture.start(environment: environment)
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await daemon.terminated() == .code(0))
      #expect(manager.messages(with: "WATCHDOG").isEmpty)
    }
  }

  @Test(arguments: [ServiceManager.Reading.nothing, .untilReady])
  func aManagerThatReadsNoMoreHoldsNothingUp(_ reading: ServiceManager.Reading) async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify", reading: reading)
      if reading == .nothing { try manager.fill() }
      let environment = manager.environment.merging(["WATCHDOG_USEC": "600000"]) { $1 }
      let daemon = try fixture.start(environment: environment)
      if reading == .untilReady {
        try await manager.received("READY")
        try manager.fill()
      }
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      for count in 1...5 { try await reload(fixture, daemon, count) }
      fixture.simulator.produce(5)
      try await fixture.drained()
      #expect(try await fixture.status().state == "running")
      daemon.signal(SIGTERM)
      #expect(try await daemon.ended(within: .seconds(20)) == .code(0))
      fixture.expectIntact()
      #expect(manager.messages(with: "STOPPING").isEmpty)
    }
  }

  @Test func aManagerThatReadsAgainGetsTheNewestState() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify", reading: .untilReady)
      let daemon = try fixture.start(environment: manager.environment)
      try await manager.received("READY")
      try manager.fill()
      for count in 1...3 { try await reload(fixture, daemon, count) }
      manager.readOn()
      let names: Set = ["READY", "RELOADING", "STOPPING"]
      try await eventually("the end of the last reload, got \(manager.order)") {
        manager.order.filter(names.contains).suffix(2) == ["RELOADING", "READY"]
      }
      #expect(try await daemon.terminated() == .code(0))
      try await manager.received("STOPPING")
      #expect(manager.order.filter(names.contains).suffix(3) == ["RELOADING", "READY", "STOPPING"])
    }
  }

  @Test func aFailureIsNotHeldUpByAManagerThatReadsNothing() async throws {
    try await withTestEnvironment { fixture in
      let manager = try ServiceManager(path: "\(fixture.root)/notify", reading: .nothing)
      try manager.fill()
      fixture.settings.spool.append(#"segment_sice = "1MiB""#)
      fixture.configure()
      let daemon = try fixture.start(environment: manager.environment)
      #expect(try await daemon.ended(within: .seconds(60)) == .code(78))
      #expect(manager.messages.isEmpty)
    }
  }

  /// Reloads for the nth time.
  private func reload(_ fixture: TestEnvironment, _ daemon: ChildProcess, _ number: Int) async throws {
    daemon.signal(SIGHUP)
    try await eventually("\(number) reloads in the log:\n\(fixture.log.suffix(2000))", within: .seconds(60)) {
      fixture.log.split(separator: "\n").count { $0.contains("configuration reloaded") } == number
    }
  }
}
