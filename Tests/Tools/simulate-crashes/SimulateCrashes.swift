import ArgumentParser
import Simulation

/// Runs the feed machine, its driver and the spool through simulated crashes, by seeds.
@main struct SimulateCrashes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate-crashes",
    abstract: "Run the feed machine, its driver and the spool through simulated crashes.")

  @Option(help: "How many seeds to run.")
  var seeds: UInt64 = 20_000

  @Option(help: "The first seed, or with --trace the only one.")
  var seed: UInt64 = 0

  @Flag(help: "Run one seed and print everything that happens.")
  var trace = false

  @Option(help: "How many seeds at a time; the default is one for each processor.")
  var workers: Int?

  @Flag(help: "End at the first failure, and don't ask for full coverage.")
  var first = false

  @Flag(help: "Crash one fixed run at every one of its disk operations, in every state of the medium.")
  var exhaustive = false

  func run() async throws {
    if exhaustive { return try await runExhaustive() }
    if trace { return try await runTrace() }
    var batch = SimulationBatch(seeds: seed..<(seed + seeds))
    if let workers { batch.workers = workers }
    if first { batch.failureLimit = 1 }
    let clock = ContinuousClock()
    let began = clock.now
    let report = try await batch.run()
    if !first { print(report.coverageTable) }
    for failure in report.failures {
      print("seed \(failure.seed): \(failure.messages.joined(separator: "; "))")
    }
    print(
      "\(report.seeds) seeds, \(report.runs) runs, \(report.events) events, \(report.faults) faults, "
        + "\(report.late) late events found, \(report.diskCalls) disk calls in \(began.duration(to: clock.now)); "
        + "\(report.failures.count) seeds failed")
    if !first {
      for line in report.uncovered { print("never injected: \(line)") }
      for line in report.unlisted { print("not listed: \(line)") }
    }
    let isCovered = first || report.uncovered.isEmpty && report.unlisted.isEmpty
    if !report.failures.isEmpty || !isCovered { throw ExitCode.failure }
  }

  private func runExhaustive() async throws {
    let report = await (try ExhaustiveSimulation()).run()
    for failure in report.failures { print(failure) }
    print(
      "\(report.operations) operations, \(report.crashes) crashes, at most \(report.mostSubsets) states of the "
        + "medium at one operation, \(report.truncated) operations with more; \(report.failures.count) failed"
    )
    if !report.failures.isEmpty || report.truncated > 0 { throw ExitCode.failure }
  }

  private func runTrace() async throws {
    let (lines, failures) = try await SimulationBatch.trace(seed: seed)
    for line in lines { print(line) }
    if !failures.isEmpty { throw ExitCode.failure }
  }
}
