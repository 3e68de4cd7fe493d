import BoxEvents
import BoxSimulator
import Glibc
import StoppingDisk
import Testing

/// Power cuts on a real ext4: afterwards every event is there once, in order, and nothing is a gap.
@Suite(.serialized, .enabled(if: PowerSwitch.isAvailable, "a power cut can't be made here"))
struct PowerCutTests {
  /// Seeded: a failure prints its seed.
  @Test(arguments: [1, 2] as [UInt64]) func atRandomMomentsUnderLoad(_ seed: UInt64) async throws {
    try await withPlace { place in
      let power = try await PowerSwitch(place)
      defer { power.remove() }
      var random = SplitMix64(seed: seed)
      for boot in 1...12 {
        let size = place.spoolSize()
        let daemon = try place.start(environment: Self.boot(boot))
        place.simulator.produce(5)
        // Every other time while it starts, at the latest.
        if boot % 2 == 0 { try await eventually("the first event") { place.spoolSize() > size } }
        var rest = Int.random(in: 10...150, using: &random)
        while rest > 0 {
          place.simulator.produce(5)
          try await Task.sleep(for: .milliseconds(min(rest, 15)))
          rest -= 15
        }
        #expect(daemon.isRunning, "seed \(seed): \(place.lastLines(3))")
        #expect(try await power.cut(daemon), "the power cut has lost nothing")
        place.ageSegments()
      }
      try await finish(place, "seed \(seed)")
    }
  }

  /// The process has come to a named point when the power fails: between a write and its sync, between a
  /// name and the sync of its directory, in the middle of a record.
  @Test func atNamedPoints() async throws {
    try await withPlace { place in
      let power = try await PowerSwitch(place)
      defer { power.remove() }
      let operations = StopScenario.rotation.operations + StopScenario.powerCut.operations
      var (boot, stopped) = (0, 0)
      for (operation, target, calls) in operations {
        for point in StopPoint.all where point.operation == operation && point.target == target {
          boot += 1
          place.simulator.produce(6)
          let stop = ["STOP_AT": point.name, "STOP_AT_CALL": "\(calls)"]
          let daemon = try place.start(
            Executable.stopping, environment: Self.boot(boot).merging(stop) { $1 })
          try await eventually("an end, or a poll: \(place.lastLines(3))") {
            !daemon.isRunning || place.simulator.statistics.heldPolls == 1
          }
          if daemon.exit == .signal(SIGKILL) { stopped += 1 }
          #expect(try await power.cut(daemon), "\(point): the power cut has lost nothing")
          place.ageSegments()
        }
      }
      print("\(boot) power cuts, \(stopped) of them at the named point")
      #expect(stopped >= 30)
      try await finish(place, "named points")
    }
  }

  /// The kernel finds the file system broken and makes it read-only under the running daemon; somebody
  /// mends it without a reboot.
  @Test func readOnlyFromOneMomentToTheNext() async throws {
    try await withPlace { place in
      let power = try await PowerSwitch(place)
      defer { power.remove() }
      let manager = try ServiceManager(path: "\(place.root)/notify")
      for _ in 1...3 {
        let daemon = try place.start(environment: manager.environment)
        place.simulator.produce(20)
        try await place.drained()
        try await place.simulator.wait { $0.heldPolls == 1 }
        try await power.breakReadOnly()
        place.simulator.produce(20)
        #expect(try await daemon.ended() == .code(74), "\(place.lastLines(3))")
        try await manager.told(errno: EROFS)
        // The unit starts it again and again until the disk is mended.
        let hopeless = try place.start(environment: manager.environment)
        #expect(try await hopeless.ended() == .code(74), "\(place.lastLines(3))")
        try await power.remount()
        place.ageSegments()
      }
      try await finish(place, "read-only", segments: 3)
    }
  }

  /// Every boot has a name of its own.
  private static func boot(_ number: Int) -> [String: String] {
    let digits = String(number, radix: 16)
    return ["BOOT_ID": String(repeating: "0", count: 31 - digits.count) + digits + "b"]
  }

  private func finish(_ place: Place, _ comment: Comment, segments: Int = 6) async throws {
    let daemon = try place.start(environment: Self.boot(0xfff))
    place.simulator.produce(5)
    try await place.drained()
    try await place.simulator.wait { $0.heldPolls == 1 }
    #expect(try await daemon.terminated() == .code(0), comment)
    place.expectWhole("default", comment)
    #expect(place.lineCount(of: "gaps.ndjson") == 0, comment)
    #expect(place.segmentCount() >= segments, comment)
    let verified = try await place.run("verify", "--config", place.configuration)
    #expect(verified.exit == .code(0), "\(comment): \(verified.output)")
  }
}
