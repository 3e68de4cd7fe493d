import BoxEvents
import Logging
import Spool
import TestDisks

@testable import EventDaemon

/// One stream, from its first start through crashes to its end, by a seed.
///
/// The feed machine, the driver and the spool are the daemon's own. One thing happens at a time, and
/// nothing depends on the real clock, so that a seed repeats everything.
final class Simulation {
  /// How a run has ended.
  struct Outcome: Sendable {
    var seed: UInt64
    var failures: [String]
    var injected: [(stage: Stage, fault: Fault)]
    var runs: Int
    var events: Int
    var diskCalls: Int
    /// Late events that were found by lookbacks.
    var late: Int
    var trace: [String]
  }

  static let stream = "default"

  let scenario: Scenario
  let trace: Trace
  let clock = SimulatedClock()
  let disk: SimulatedDisk
  let box: SimulatedBox
  let model: ReferenceModel
  private let thread: DiskThread
  private var choices: Choices
  private var boot = 1
  private(set) var runs = 0
  private var accident: Scenario.Accident?

  init(_ scenario: Scenario, thread: DiskThread, isTraced: Bool = false) {
    self.scenario = scenario
    self.thread = thread
    trace = Trace(isOn: isTraced)
    choices = Choices(seed: scenario.seed ^ 0x51)
    trace.add("\(scenario)")
    accident = scenario.accident
    let disk = SimulatedDisk(
      sectorSize: scenario.sectorSize, plan: FaultPlan(scenario.planned),
      choices: Choices(seed: scenario.seed ^ 0xD15C), trace: trace)
    let world = BoxWorld(scenario, now: SimulatedClock.origin)
    let box = SimulatedBox(world, clock: clock, disk: disk, trace: trace)
    let model = ReferenceModel(stream: Self.stream, prunes: scenario.limits.maxSize > 0, trace: trace)
    box.served = { [unowned box] in model.served($0, box.world) }
    box.hasStoredTime = { model.state.hasStoredTime }
    box.waitsForChange = { model.waitsForChange() }
    box.isComplete = { [unowned box] in model.isComplete(disk.image, box.world) }
    clock.watch = { [unowned box] in box.watch() }
    (self.disk, self.box, self.model) = (disk, box, model)
  }

  /// Runs until everything is in the spool, and once more to see that it stays so.
  func run() async -> Outcome {
    while model.failures.isEmpty {
      await runProcess(ending: runs < scenario.endings.count ? scenario.endings[runs] : nil)
      restartMachine()
      if runs >= Scenario.maximumRuns { model.fail("not complete after \(runs) runs") }
      if model.isComplete(disk.image, box.world), runs > scenario.endings.count { break }
      passTime()
    }
    return await conclude()
  }

  /// A last start without any problem, and the last look.
  func conclude() async -> Outcome {
    disk.plan.end()
    box.world.calmDown()
    for _ in 0..<2 where model.failures.isEmpty {
      await runProcess(ending: nil)
      restartMachine()
    }
    if model.failures.isEmpty { model.finished(disk.image, box.world) }
    return Outcome(
      seed: scenario.seed, failures: model.failures, injected: disk.struck, runs: runs,
      events: model.state.order.count, diskCalls: disk.calls,
      late: model.found(box.world), trace: trace.lines)
  }

  // MARK: One process

  func runProcess(ending: (call: Int, fault: Fault?)?) async {
    runs += 1
    trace.add("run \(runs), boot \(boot)")
    let injectedBefore = disk.struck.count
    box.restart(ending: ending)
    model.started()
    disk.wallSeconds = clock.wallSeconds
    do throws(StoreFailure) {
      try await runDriver()
    } catch {
      trace.add("  the daemon ends: \(error.message)")
      let isExpected =
        disk.death != nil || disk.struck.count > injectedBefore || disk.plan.hasInjectedRecently
      if !isExpected || error.code == .blocked || error.code == .refused || error.code == .locked {
        model.fail("the daemon ends: \(error.message)")
      }
    }
    if let problem = box.problem { model.fail(problem) }
  }

  private func runDriver() async throws(StoreFailure) {
    disk.phase = .recovery
    let location = StreamSpool.Location(
      name: Self.stream,
      feed: FeedIdentity(
        api: WebURL.Origin(scheme: .https, host: "api.box.com"), subject: Subject("user:1"), asUser: nil,
        type: scenario.type),
      spoolRoot: try DiskDirectory.root("/spool", on: disk, access: .shared),
      stateRoot: try DiskDirectory.root("/state", on: disk, access: .own))
    let spool = StreamSpool(
      location, limits: scenario.limits, bootID: "boot-\(boot)", clock: clock.spoolClock, thread: thread)
    let driver = FeedDriver(
      source: box, store: WatchedStore(spool: spool, disk: disk, box: box, model: model), clock: clock,
      rules: rules, start: scenario.start, seed: scenario.seed &+ UInt64(runs), report: report)
    // A task of its own, which the simulated Box can cancel as SIGTERM does.
    let result = await Task { () async -> Result<Void, StoreFailure> in
      do throws(StoreFailure) {
        var driver = driver
        return .success(try await driver.run())
      } catch {
        return .failure(error)
      }
    }.value
    try result.get()
  }

  private var rules: FeedRules {
    var rules = FeedRules(type: scenario.type)
    rules.lookbackInterval = scenario.lookbackInterval
    return rules
  }

  private var report: FeedReport {
    let logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
    return FeedReport(
      StreamTelemetry(name: Self.stream, retention: scenario.type.retention), logger: logger)
  }

  // MARK: Between two processes

  /// Takes over the world as another simulation's process has left it, the choices deciding what a power cut
  /// has done to the medium.
  func goOn(from other: Simulation, _ choices: inout Choices) async {
    runs = other.runs
    boot = other.boot
    disk.image = other.disk.image
    disk.plan.end()
    box.world = other.box.world
    model.take(over: other.model)
    clock.advance(by: other.clock.elapsed)
    if other.disk.death?.isPowerCut == true {
      boot += 1
      clock.reboot()
      disk.image.losePower(&choices)
    }
    model.crashed(disk.image)
  }

  /// What the end of the process, or of the machine, leaves.
  func restartMachine() {
    let isPowerCut = disk.death?.isPowerCut == true
    if isPowerCut {
      boot += 1
      clock.reboot()
    }
    disk.restart(staleness: scenario.staleness)
    model.crashed(disk.image)
    injectAccident(afterPowerCut: isPowerCut)
  }

  private func passTime() {
    clock.advance(by: .seconds(choices.number(1, 3000)))
    if choices.chance(10) { clock.wallError = Int64(choices.number(-1, 1)) * 31_536_000 }
    if choices.chance(50) { box.world.arrive(at: clock.trueSeconds) }
    if runs == scenario.longAbsenceAfter {
      trace.add("nothing runs for longer than Box keeps events")
      clock.advance(by: scenario.type.retention + .seconds(9 * 86_400))
      model.state.isAwaitingAbsence = true
    }
  }

  private func injectAccident(afterPowerCut: Bool) {
    guard let accident else { return }
    switch accident {
    case .positionDeleted, .positionGarbled:
      let evidence =
        disk.image.file("segments.ndjson", in: DiskImage.spoolRoot, stream: Self.stream, durable: true)
        ?? []
      // A line that a power cut has filled with zeros is not evidence.
      let isThere = evidence[..<(evidence.lastIndex(of: 0x0A) ?? 0)].split(separator: 0x0A).contains {
        $0.starts(with: Array("{\"ordinal\":".utf8)) && $0.allSatisfy { (0x20...0x7E).contains($0) }
      }
      guard isThere,
        disk.image.losePosition(Self.stream, isDeleted: accident == .positionDeleted)
      else { return }
      model.state.expectedGaps.insert("state-lost")
      model.state.hasStoredTime = false
    case .spoolEmptied:
      guard !afterPowerCut, model.state.inFlight.isEmpty, !model.state.order.isEmpty else { return }
      guard let kept = disk.image.shortenSpool(Self.stream, below: model.state.order.count, &choices) else {
        return
      }
      model.shortened(toSegment: kept.segment, lines: kept.lines)
    }
    trace.add("accident: \(accident)")
    // A backup that was restored may be followed by an older one.
    if accident != .spoolEmptied || model.state.shortenings == 2 || choices.chance(50) { self.accident = nil }
  }
}
