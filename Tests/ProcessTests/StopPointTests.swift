import BoxSimulator
import Glibc
import StoppingDisk
import Testing

/// The daemon ends itself abruptly at every named point, once and twice in a row, and the next start recovers.
@Suite struct StopPointTests {
  /// A point at one of its calls, in a scenario that gets there.
  struct Stop: CustomStringConvertible {
    var scenario: StopScenario
    var point: StopPoint
    /// The calls of one process at a point count from 1.
    var call: Int

    var description: String { "\(scenario) \(point) #\(call)" }
    var environment: [String: String] {
      scenario.environment.merging(["STOP_AT": point.name, "STOP_AT_CALL": "\(call)"]) { $1 }
    }
  }

  @Test(arguments: StopScenario.allCases) func recoversFromAStop(_ scenario: StopScenario) async throws {
    var twice = 0
    let stops = Self.stops(in: scenario)
    for stop in stops {
      do {
        try await withTestEnvironment { fixture in
          try await scenario.prepare(fixture)
          scenario.stir(fixture)
          try #require(try await isStopped(at: stop, fixture), "\(stop) was never reached")
          scenario.stir(fixture)
          if try await isStopped(at: stop, fixture) { twice += 1 }
          try await finish(fixture, stop)
        }
      } catch {
        Issue.record("\(stop): \(error)")
      }
    }
    print("\(scenario): stopped at \(stops.count) points, at \(twice) twice in a row")
    #expect(twice > 0)
  }

  /// Every point is reached by a scenario.
  @Test func everyPointIsTried() {
    let tried = Set(StopScenario.allCases.flatMap(Self.stops).map(\.point))
    #expect(Set(StopPoint.all) == tried)
    #expect(StopPoint.all.count >= 40)
  }

  private static func stops(in scenario: StopScenario) -> [Stop] {
    scenario.operations.flatMap { operation, target, calls in
      StopPoint.all.filter { $0.operation == operation && $0.target == target }.flatMap { point in
        (1...calls).map { Stop(scenario: scenario, point: point, call: $0) }
      }
    }
  }

  /// Starts the daemon, and stops it in order once it has caught up: some points are reached only then.
  private func isStopped(at stop: Stop, _ fixture: TestEnvironment) async throws -> Bool {
    let daemon = try fixture.start(Executable.stopping, environment: stop.environment)
    try await caughtUpOrEnded(daemon, fixture)
    let exit = try await daemon.terminated()
    #expect(
      exit == .signal(SIGKILL) || exit == .code(0) || needsLogin(exit, stop),
      "\(stop): \(exit), \(fixture.lastLines(3))")
    return exit == .signal(SIGKILL)
  }

  /// The start after the last stop, and the state of the stream afterwards.
  private func finish(_ fixture: TestEnvironment, _ stop: Stop) async throws {
    var daemon = try fixture.start(Executable.stopping, environment: stop.scenario.environment)
    try await caughtUpOrEnded(daemon, fixture)
    if let exit = daemon.exit, needsLogin(exit, stop) {
      fixture.simulator.addAuthorizationCode("another-code")
      try await stop.scenario.login(fixture, code: "another-code")
      daemon = try fixture.start(Executable.stopping, environment: stop.scenario.environment)
      try await caughtUpOrEnded(daemon, fixture)
    }
    let polls = fixture.simulator.statistics.requests(.poll)
    fixture.simulator.setFaultRates(.events, FaultRates())
    fixture.simulator.produce(5)
    try await fixture.simulator.wait { $0.heldPolls == 1 && $0.requests(.poll) > polls }
    #expect(try await daemon.terminated() == .code(0), "\(stop): \(fixture.lastLines(3))")
    stop.scenario.expectIntact(fixture, "\(stop)")
    let verified = try await fixture.run("verify", "--config", fixture.configuration)
    #expect(verified.exit == .code(0), "\(stop): \(verified.output)")
  }

  /// Waits until the daemon has read everything and polls, or has ended.
  private func caughtUpOrEnded(_ daemon: ChildProcess, _ fixture: TestEnvironment) async throws {
    let polls = fixture.simulator.statistics.requests(.poll)
    try await eventually("an end, or a poll: \(fixture.lastLines(5))") {
      let statistics = fixture.simulator.statistics
      return !daemon.isRunning || statistics.heldPolls == 1 && statistics.requests(.poll) > polls
    }
  }

  /// Between Box's answer and the first byte of the new refresh token on the disk, the old one is spent
  /// and the new one nowhere: the one moment that costs a new login, and no event.
  private func needsLogin(_ exit: ChildProcess.Exit, _ stop: Stop) -> Bool {
    stop.scenario == .signIn && stop.call > 2 && exit == .code(77)
  }
}
