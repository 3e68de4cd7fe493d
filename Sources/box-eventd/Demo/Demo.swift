import BoxSimulator
import EventDaemon
import Glibc

/// A simulated Box and a real daemon, a minute long, with two crashes.
struct Demo {
  let duration: Duration
  let rate: Int

  private static let backlog = 2000
  private static let step = Duration.milliseconds(250)

  /// - Returns: whether the spool holds every event once.
  func run() async throws -> Bool {
    let environment = try DemoEnvironment()
    var options = SimulatorOptions()
    options.backlog = Self.backlog
    options.realtime.hold = .seconds(30)
    options.faultRates = [.events: .stormy]
    do {
      return try await BoxSimulator.run(options) { simulator in
        try environment.configure(simulator)
        return try await show(simulator, environment)
      }
    } catch let error as SimulatorError {
      throw CommandFailure(.unavailable, error.message, hint: error.hint)
    }
  }

  private func show(_ simulator: BoxSimulator, _ environment: DemoEnvironment) async throws -> Bool {
    let interrupt = DemoSignal()
    var daemon = try DemoDaemon(environment)
    defer { daemon.kill() }
    var screen = DemoScreen(environment: environment)
    let start = ContinuousClock.now
    // At a third and at two thirds of the time.
    var kills = [duration / 3, duration * 2 / 3]
    while ContinuousClock.now - start < duration, !interrupt.hasArrived {
      if let next = kills.first, ContinuousClock.now - start >= next {
        kills.removeFirst()
        let killed = daemon.processID
        daemon.kill()
        screen.note("killed the daemon (process \(killed)) with SIGKILL, in the middle of its work")
        daemon = try DemoDaemon(environment)
        screen.note("started it again (process \(daemon.processID))")
      }
      simulator.produce(max(1, rate / 4))
      screen.show(produced: simulator.ledger().count, elapsed: ContinuousClock.now - start)
      try? await Task.sleep(for: Self.step)
    }
    return try await finish(simulator, environment, &daemon, &screen)
  }

  /// Lets the daemon catch up, stops it as systemd would, and counts.
  private func finish(
    _ simulator: BoxSimulator, _ environment: DemoEnvironment, _ daemon: inout DemoDaemon,
    _ screen: inout DemoScreen
  ) async throws -> Bool {
    let produced = simulator.ledger()
    let deadline = ContinuousClock.now + .seconds(90)
    while environment.spooledCount < produced.count, ContinuousClock.now < deadline {
      try? await Task.sleep(for: Self.step)
    }
    daemon.terminate()
    let tally = DemoTally(produced: produced, spooled: environment.spooledLines)
    screen.end(tally, kills: screen.kills)
    return tally.isIntact
  }
}

/// What was produced against what was spooled.
struct DemoTally {
  let produced: Int
  let spooled: Int
  let missing: Int
  let twice: Int

  init(produced: [[UInt8]], spooled: [[UInt8]]) {
    let distinct = Set(spooled)
    self.produced = produced.count
    self.spooled = spooled.count
    missing = produced.count { !distinct.contains($0) }
    twice = spooled.count - distinct.count
  }

  var isIntact: Bool { missing == 0 && twice == 0 && produced == spooled }
}
