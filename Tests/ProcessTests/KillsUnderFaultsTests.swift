import BoxEvents
import BoxSimulator
import Glibc
import Testing

/// Everything at once: a backlog, live events, odd events, faults at every endpoint, tokens that
/// expire, and `kill -9` 220 times in all. In the end every event is there once.
@Suite(.serialized) struct KillsUnderFaultsTests {
  /// Seeded: a failure prints its seed.
  private struct Chaos {
    var seed: UInt64
    var users = ["123", "201", "202"]
    var backlog = 6000
    var kills = 20
    /// How long the daemon lives before each kill.
    var life: ClosedRange<Int> = 200...1800
    var spool: [String] = []
    /// Segments end as soon as they are large enough.
    var rotatesAtOnce = false
  }

  @Test(arguments: [1, 2] as [UInt64]) func killedAtRandomMoments(_ seed: UInt64) async throws {
    try await run(Chaos(seed: seed, backlog: seed == 1 ? 7000 : 3000))
  }

  @Test func killedWhileItRecovers() async throws {
    try await run(Chaos(seed: 3, users: ["123", "201"], backlog: 3000, kills: 60, life: 5...400))
  }

  /// A segment holds a page's events, a few.
  @Test(arguments: [4, 5] as [UInt64]) func killedWithSegmentsOfAFewEvents(_ seed: UInt64) async throws {
    try await run(
      Chaos(
        seed: seed, users: ["123"], backlog: 100, kills: 60, life: 10...250,
        spool: [#"segment_size = "1KiB""#], rotatesAtOnce: true))
  }

  private func run(_ chaos: Chaos) async throws {
    var options = SimulatorOptions()
    options.seed = chaos.seed
    options.backlog = chaos.backlog
    options.credentials.users = chaos.users
    options.feed.oddEvery = 9
    options.realtime.hold = .seconds(3)
    options.realtime.maximumPolls = 4
    options.realtime.outOfDateAfter = 200
    options.feed.emptyPagePercent = 2
    options.feed.emptyPagePosition = .zero
    options.faultRates = Dictionary(
      uniqueKeysWithValues: SimulatedEndpoint.allCases.map { ($0, Self.weather) })
    try await withPlace(options) { fixture in
      fixture.settings.streams = chaos.users.map { .init(name: "user-\($0)", asUser: $0) }
      fixture.settings.spool += chaos.spool
      fixture.configure()
      try await kill(fixture, chaos)
      fixture.simulator.setCalm()
      let daemon = try fixture.start()
      for user in chaos.users { try await fixture.drained("user-\(user)", user: user) }
      try await fixture.simulator.wait { $0.heldPolls == chaos.users.count }
      let exit = try await daemon.terminated()
      #expect(exit == .code(0), "seed \(chaos.seed): \(fixture.lastLines(5))")
      for user in chaos.users { fixture.expectIntact("user-\(user)", user: user, "seed \(chaos.seed)") }
      if chaos.rotatesAtOnce {
        #expect(fixture.segmentCount("user-123") > chaos.kills, "seed \(chaos.seed)")
      }
      #expect(fixture.simulator.violations.isEmpty, "seed \(chaos.seed)")
      #expect(!fixture.log.contains("a gap was recorded"), "seed \(chaos.seed)")
    }
  }

  private func kill(_ fixture: TestEnvironment, _ chaos: Chaos) async throws {
    var random = SplitMix64(seed: chaos.seed)
    for kill in 0..<chaos.kills {
      let segments = fixture.segmentCount("user-123")
      let daemon =
        chaos.rotatesAtOnce
        ? try fixture.start(Executable.stopping, environment: ["ROTATE_AT_ONCE": "1"]) : try fixture.start()
      if chaos.rotatesAtOnce, kill % 2 == 0 {
        // On a busy machine a short life would only ever be a start.
        try await eventually("two segments more") {
          fixture.simulator.produce(1)
          return fixture.segmentCount("user-123") > segments + 1
        }
      }
      // The moment of the kill is what is drawn here.
      var rest = Int.random(in: chaos.life, using: &random)
      while rest > 0 {
        fixture.simulator.produce(3)
        try await Task.sleep(for: .milliseconds(min(rest, 60)))
        rest -= 60
      }
      #expect(daemon.isRunning, "seed \(chaos.seed): ended by itself: \(fixture.lastLines(3))")
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
  /// No more faults, so that what is left comes soon.
  fileprivate func setCalm() {
    for endpoint in SimulatedEndpoint.allCases { setFaultRates(endpoint, FaultRates()) }
  }
}
