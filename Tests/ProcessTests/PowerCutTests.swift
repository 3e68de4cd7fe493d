import BoxEvents
import BoxSimulator
import Glibc
import StoppingDisk
import Testing

/// Power cuts on a real ext4: afterwards every event is in the spool once, in order, without a gap.
@Suite(.serialized, .enabled(if: PowerSwitch.isAvailable, "a power cut can't be made here"))
struct PowerCutTests {
  /// Seeded: a failure prints its seed.
  @Test(arguments: [1, 2] as [UInt64]) func survivesPowerCutsAtRandomMoments(_ seed: UInt64) async throws {
    try await withTestEnvironment { fixture in
      let power = try await PowerSwitch(fixture)
      defer { power.remove() }
      var random = SplitMix64(seed: seed)
      for boot in 1...12 {
        let size = fixture.spoolSize()
        let daemon = try fixture.start(environment: Self.boot(boot))
        fixture.simulator.produce(5)
        // Every other time while it starts, at the latest.
        if boot % 2 == 0 { try await eventually("the first event") { fixture.spoolSize() > size } }
        var rest = Int.random(in: 10...150, using: &random)
        while rest > 0 {
          fixture.simulator.produce(5)
          try await Task.sleep(for: .milliseconds(min(rest, 15)))
          rest -= 15
        }
        #expect(daemon.isRunning, "seed \(seed): \(fixture.lastLines(3))")
        #expect(try await power.cut(daemon), "the power cut has lost nothing")
        fixture.ageSegments()
      }
      try await finish(fixture, "seed \(seed)")
    }
  }

  /// The process is at a named point when the power fails: between a write and its sync, between a
  /// name and the sync of its directory, in the middle of a record.
  @Test func survivesPowerCutsAtNamedPoints() async throws {
    try await withTestEnvironment { fixture in
      let power = try await PowerSwitch(fixture)
      defer { power.remove() }
      let operations = StopScenario.rotation.operations + StopScenario.powerCut.operations
      var (boot, stopped) = (0, 0)
      for (operation, target, calls) in operations {
        for point in StopPoint.all where point.operation == operation && point.target == target {
          boot += 1
          // Of the daemon before: its end must not be taken for a poll of the next one.
          try await fixture.simulator.wait { $0.heldPolls == 0 }
          fixture.simulator.produce(6)
          let stop = ["STOP_AT": point.name, "STOP_AT_CALL": "\(calls)"]
          let daemon = try fixture.start(
            Executable.stopping, environment: Self.boot(boot).merging(stop) { $1 })
          try await eventually("an end, or a poll: \(fixture.lastLines(3))") {
            !daemon.isRunning || fixture.simulator.statistics.heldPolls == 1
          }
          if daemon.exit == .signal(SIGKILL) { stopped += 1 }
          #expect(try await power.cut(daemon), "\(point): the power cut has lost nothing")
          fixture.ageSegments()
        }
      }
      print("\(boot) power cuts, \(stopped) of them at the named point")
      #expect(stopped >= 30)
      try await finish(fixture, "named points")
    }
  }

  /// The kernel makes the broken file system read-only under the running daemon; it is repaired without a reboot.
  @Test func recoversAfterTheFileSystemTurnsReadOnly() async throws {
    try await withTestEnvironment { fixture in
      let power = try await PowerSwitch(fixture)
      defer { power.remove() }
      let manager = try ServiceManager(path: "\(fixture.root)/notify")
      for _ in 1...3 {
        let daemon = try fixture.start(environment: manager.environment)
        fixture.simulator.produce(20)
        try await fixture.drained()
        try await fixture.simulator.wait { $0.heldPolls == 1 }
        try await power.breakReadOnly()
        fixture.simulator.produce(20)
        #expect(try await daemon.ended() == .code(74), "\(fixture.lastLines(3))")
        try await manager.received(errno: EROFS)
        // The unit starts it again and again until the disk is fixed.
        let hopeless = try fixture.start(environment: manager.environment)
        #expect(try await hopeless.ended() == .code(74), "\(fixture.lastLines(3))")
        try await power.remount()
        fixture.ageSegments()
      }
      try await finish(fixture, "read-only", segments: 3)
    }
  }

  /// Every boot has its own id.
  private static func boot(_ number: Int) -> [String: String] {
    let digits = String(number, radix: 16)
    return ["BOOT_ID": String(repeating: "0", count: 31 - digits.count) + digits + "b"]
  }

  private func finish(_ fixture: TestEnvironment, _ comment: Comment, segments: Int = 6) async throws {
    let daemon = try fixture.start(environment: Self.boot(0xfff))
    fixture.simulator.produce(5)
    try await fixture.drained()
    try await fixture.simulator.wait { $0.heldPolls == 1 }
    #expect(try await daemon.terminated() == .code(0), comment)
    fixture.expectIntact("default", comment)
    #expect(fixture.lineCount(of: "gaps.ndjson") == 0, comment)
    #expect(fixture.segmentCount() >= segments, comment)
    let verified = try await fixture.run("verify", "--config", fixture.configuration)
    #expect(verified.exit == .code(0), "\(comment): \(verified.output)")
  }
}
