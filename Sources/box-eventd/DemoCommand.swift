import ArgumentParser
import BoxSimulator
import EventDaemon
import Synchronization
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Show box-eventd at work on this machine, against a simulated Box.",
    discussion: """
      Starts a simulated Box and a real daemon in a directory of their own under /tmp, produces events in the \
      simulated account, and shows them arrive. Twice it kills the daemon with SIGKILL and starts it again. It \
      ends by itself, or with Ctrl-C, and counts what was produced and spooled. It writes nothing outside that \
      directory.
      """)

  @Option(help: "Duration.") var seconds = 60
  @Option(help: "New events a second.") var rate = 20

  func validate() throws {
    guard (5...86_400).contains(seconds), (1...10_000).contains(rate) else {
      throw ValidationError("--seconds is 5 to 86400, --rate 1 to 10000")
    }
  }

  func run() async throws {
    let environment = try DemoEnvironment()
    var options = SimulatorOptions()
    options.backlog = 2000
    options.realtime.hold = .seconds(30)
    options.faultRates = [.events: .stormy]
    let isIntact = try await BoxSimulator.run(options) { simulator in
      try environment.configure(simulator)
      return try await show(simulator, environment)
    }
    if !isIntact {
      throw DaemonFailure(
        .software, "the spool differs from what was produced",
        hint: "Please report this, with the output above.")
    }
  }

  private static let step = Duration.milliseconds(250)

  /// A simulated Box and a real daemon, with two crashes.
  /// - Returns: whether the spool holds every event once.
  private func show(_ simulator: BoxSimulator, _ environment: DemoEnvironment) async throws -> Bool {
    let interrupt = DemoSignal()
    var daemon = try DemoDaemon(environment)
    defer { daemon.kill() }
    var screen = DemoScreen(environment: environment)
    let start = ContinuousClock.now
    let duration = Duration.seconds(seconds)
    // At a third and at two thirds of the time.
    var kills = [duration / 3, duration * 2 / 3]
    while ContinuousClock.now - start < duration, !interrupt.hasArrived {
      if let next = kills.first, ContinuousClock.now - start >= next {
        kills.removeFirst()
        let killed = daemon.processID
        daemon.kill()
        screen.note("killed the daemon (process \(killed)) with SIGKILL")
        daemon = try DemoDaemon(environment)
        screen.note("started it again (process \(daemon.processID))")
      }
      simulator.produce(max(1, rate / 4))
      screen.show(produced: simulator.ledger().count, elapsed: ContinuousClock.now - start)
      try StandardOutput.check()
      try? await Task.sleep(for: Self.step)
    }
    // The daemon catches up, and is stopped as systemd would stop it.
    let produced = simulator.ledger()
    let deadline = ContinuousClock.now + .seconds(90)
    while environment.spooledCount < produced.count, ContinuousClock.now < deadline {
      try? await Task.sleep(for: Self.step)
    }
    daemon.terminate()
    let tally = DemoTally(produced: produced, spooled: environment.spooledLines)
    screen.end(tally)
    return tally.isIntact
  }
}

/// What was produced against what was spooled.
struct DemoTally {
  let produced, spooled, missing, twice: Int

  init(produced: [[UInt8]], spooled: [[UInt8]]) {
    let distinct = Set(spooled)
    self.produced = produced.count
    self.spooled = spooled.count
    missing = produced.count { !distinct.contains($0) }
    twice = spooled.count - distinct.count
  }

  var isIntact: Bool { missing == 0 && twice == 0 && produced == spooled }
}

/// Whether Ctrl-C or SIGTERM has asked the demo to end, which it does with its count.
private final class DemoSignal: Sendable {
  private let arrived = Atomic(false)

  var hasArrived: Bool { arrived.load(ordering: .relaxed) }

  init() {
    Task { [weak self] in
      for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
        self?.arrived.store(true, ordering: .relaxed)
      }
    }
  }
}
