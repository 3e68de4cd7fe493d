import BoxEvents
import BoxSimulator
import Glibc
import Testing

/// A backlog, live events, unusual events, faults at every endpoint, tokens that expire, and `kill -9` 220 times in
/// all. In the end every event is in the spool once.
@Suite(.serialized) struct KillsUnderFaultsTests {
  /// Seeded: a failure prints its seed.
  private struct Run {
    var seed: UInt64
    var users = ["123", "201", "202"]
    var backlog = 6000
    var kills = 20
    /// How long the daemon runs before each kill, in milliseconds.
    var lifetime: ClosedRange<Int> = 200...1800
    var spool: [String] = []
    /// Segments end as soon as they are large enough.
    var rotatesAtOnce = false
  }

  @Test(arguments: [1, 2] as [UInt64]) func survivesKillsAtRandomMoments(_ seed: UInt64) async throws {
    try await test(Run(seed: seed, backlog: seed == 1 ? 7000 : 3000))
  }

  @Test func survivesKillsDuringRecovery() async throws {
    try await test(Run(seed: 3, users: ["123", "201"], backlog: 3000, kills: 60, lifetime: 5...400))
  }

  /// A segment holds the few events of one page.
  @Test(arguments: [4, 5] as [UInt64]) func survivesKillsWithSmallSegments(_ seed: UInt64) async throws {
    try await test(
      Run(
        seed: seed, users: ["123"], backlog: 100, kills: 60, lifetime: 10...250,
        spool: [#"segment_size = "1KiB""#], rotatesAtOnce: true))
  }

  private func test(_ run: Run) async throws {
    var options = SimulatorOptions()
    options.seed = run.seed
    options.backlog = run.backlog
    options.credentials.users = run.users
    options.feed.oddEvery = 9
    options.realtime.hold = .seconds(3)
    options.realtime.maximumPolls = 4
    options.realtime.outOfDateAfter = 200
    options.feed.emptyPagePercent = 2
    options.feed.emptyPagePosition = .zero
    options.faultRates = Dictionary(
      uniqueKeysWithValues: SimulatedEndpoint.allCases.map { ($0, Self.weather) })
    try await withTestEnvironment(options) { fixture in
      fixture.settings.streams = run.users.map { .init(name: "user-\($0)", asUser: $0) }
      fixture.settings.spool += run.spool
      fixture.configure()
      try await kill(fixture, run)
      fixture.simulator.setCalm()
      let daemon = try fixture.start()
      for user in run.users { try await fixture.drained("user-\(user)", user: user) }
      try await fixture.simulator.wait { $0.heldPolls == run.users.count }
      let exit = try await daemon.terminated()
      #expect(exit == .code(0), "seed \(run.seed): \(fixture.lastLines(5))")
      for user in run.users { fixture.expectIntact("user-\(user)", user: user, "seed \(run.seed)") }
      if run.rotatesAtOnce {
        #expect(fixture.segmentCount("user-123") > run.kills, "seed \(run.seed)")
      }
      #expect(fixture.simulator.violations.isEmpty, "seed \(run.seed)")
      #expect(!fixture.log.contains("a gap was recorded"), "seed \(run.seed)")
    }
  }

  private func kill(_ fixture: TestEnvironment, _ run: Run) async throws {
    var random = SplitMix64(seed: run.seed)
    for kill in 0..<run.kills {
      let segments = fixture.segmentCount("user-123")
      let daemon =
        run.rotatesAtOnce
        ? try fixture.start(Executable.stopping, environment: ["ROTATE_AT_ONCE": "1"]) : try fixture.start()
      if run.rotatesAtOnce, kill % 2 == 0 {
        // On a busy machine a short run would never get past its start.
        try await eventually("two segments more") {
          fixture.simulator.produce(1)
          return fixture.segmentCount("user-123") > segments + 1
        }
      }
      // The moment of the kill is random.
      var rest = Int.random(in: run.lifetime, using: &random)
      while rest > 0 {
        fixture.simulator.produce(3)
        try await Task.sleep(for: .milliseconds(min(rest, 60)))
        rest -= 60
      }
      #expect(daemon.isRunning, "seed \(run.seed): ended by itself: \(fixture.lastLines(3))")
      try await daemon.killed()
    }
  }

  /// Several per cent of all calls.
  private static let weather = FaultRates([
    .init(.status(429, headers: ["retry-after": "1"]), percent: 1), .init(.status(503), percent: 1),
    .init(.status(500), percent: 1), .init(.reset, percent: 1), .init(.loseAnswer, percent: 1),
    .init(.resetInBody, percent: 1), .init(.truncate, percent: 1), .init(.truncateChunks, percent: 1),
    .init(.truncateJSON, percent: 1), .init(.html, percent: 0.5), .init(.body(""), percent: 0.5),
    .init(.expireToken, percent: 0.5), .init(.stallInBody, percent: 0.1), .init(.brokenGzip, percent: 0.5),
    .init(.truncatedGzip, percent: 0.5), .init(.drip(bytes: 997, every: .milliseconds(1)), percent: 0.5),
  ])
}

extension BoxSimulator {
  /// Ends the faults, so that the remaining events arrive soon.
  fileprivate func setCalm() {
    for endpoint in SimulatedEndpoint.allCases { setFaultRates(endpoint, FaultRates()) }
  }
}
