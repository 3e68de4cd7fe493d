import BoxSimulator
import Glibc
import Testing

/// The wall clock jumps, or the process is suspended: the daemon continues, and records no gap.
@Suite struct ClockTests {
  /// The wall clock is set while the daemon runs and while it doesn't; the monotonic clock is the real one.
  @Test(.enabled(if: PreloadedLibrary.isAvailable, "no C compiler here"))
  func continuesAfterTheWallClockJumpsByAYear() async throws {
    try await withTestEnvironment { fixture in
      let clock = try await WallClock(fixture)
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      let environment = manager.environment.merging(clock.environment) { $1 }.merging(
        ["WATCHDOG_USEC": "600000"]) { $1 }
      fixture.settings.spool.append(#"segment_size = "1KiB""#)
      fixture.configure()
      var daemon = try fixture.start(environment: environment)
      for (round, days) in [0, 370, -370, 0, -370, 370].enumerated() {
        clock.set(aheadByDays: days)
        if round > 3 {
          try await daemon.killed()
          daemon = try fixture.start(environment: environment)
        }
        let pings = manager.messages(with: "WATCHDOG").count
        fixture.simulator.produce(20)
        try await fixture.drained()
        try await manager.received("WATCHDOG", times: pings + 3)
        try await fixture.simulator.wait { $0.heldPolls == 1 }
        #expect(try await fixture.status().streams[0].state == "polling", "round \(round)")
        fixture.expectIntact("default", "round \(round)")
      }
      let years = Set(fixture.log.split(separator: "\n").map { $0.prefix(4) })
      #expect(years.count > 1, "the clock of the log has not jumped")
      #expect(try await daemon.terminated() == .code(0))
      #expect(fixture.lineCount(of: "gaps.ndjson") == 0)
      #expect(!fixture.log.contains("watchdog ping withheld"))
      #expect(fixture.simulator.violations.isEmpty)
    }
  }

  /// As on a suspended machine: the process stops, then continues with connections that may be dead.
  @Test func continuesAfterASuspensionWhilePolling() async throws {
    var options = SimulatorOptions()
    options.realtime.hold = .seconds(1)
    try await withTestEnvironment(options) { fixture in
      let daemon = try fixture.start()
      fixture.simulator.produce(5)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      try await suspend(daemon, fixture)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      #expect(!fixture.log.contains("a gap was recorded"))
    }
  }

  @Test func continuesAfterASuspensionWhileReading() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(600)
      fixture.simulator.setFaultRates(
        .events, FaultRates([.init(.drip(bytes: 20_000, every: .milliseconds(20)), percent: 100)]))
      let daemon = try fixture.start()
      try await fixture.simulator.wait { $0.requests(.events) > 0 }
      try await suspend(daemon, fixture)
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await daemon.terminated() == .code(0))
      fixture.expectIntact()
      #expect(!fixture.log.contains("a gap was recorded"))
    }
  }

  /// For longer than the poll is held, while events come.
  private func suspend(_ daemon: ChildProcess, _ fixture: TestEnvironment) async throws {
    daemon.signal(SIGSTOP)
    try await eventually("the stop") { daemon.statusField("State")?.hasPrefix("T") == true }
    for _ in 1...6 {
      fixture.simulator.produce(5)
      try await Task.sleep(for: .milliseconds(500))
    }
    daemon.signal(SIGCONT)
  }
}
