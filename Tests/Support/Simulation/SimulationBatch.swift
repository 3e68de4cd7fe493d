import BoxEvents
import Glibc
import Spool

/// Many simulations, one seed after the other on each of a few threads.
package struct SimulationBatch: Sendable {
  /// A seed that has failed.
  package struct Failure: Sendable {
    package var seed: UInt64
    package var messages: [String]
  }

  /// What all of them together have found.
  package struct Report: Sendable {
    package var seeds = 0
    package var runs = 0
    package var events = 0
    package var diskCalls = 0
    package var faults = 0
    /// Late events that were found by lookbacks.
    package var late = 0
    package var failures: [Failure] = []
    var coverage = Coverage()
    var reached: [Int: (stage: Stage, count: Int)] = [:]

    /// How often each fault was injected at each stage of the store's work.
    package var coverageTable: String { coverage.table }

    /// Stages at which a fault that is possible there was not injected, as text.
    package var uncovered: [String] { coverage.missing.map { "\($0.stage): \($0.fault.name)" } }

    /// Stages that were reached and are not listed in ``Coverage``.
    package var unlisted: [String] {
      reached.values.filter { Coverage.isChecked($0.stage) && !Coverage.stages.contains($0.stage) }
        .sorted { $0.count > $1.count }.map { "\($0.stage) \($0.count)" }
    }

    mutating func add(_ outcome: Simulation.Outcome) {
      seeds += 1
      runs += outcome.runs
      events += outcome.events
      diskCalls += outcome.diskCalls
      faults += outcome.injected.count
      late += outcome.late
      coverage.add(outcome.injected)
      if !outcome.failures.isEmpty {
        failures.append(Failure(seed: outcome.seed, messages: outcome.failures))
      }
    }

    mutating func merge(_ other: Report) {
      seeds += other.seeds
      runs += other.runs
      events += other.events
      diskCalls += other.diskCalls
      faults += other.faults
      late += other.late
      failures += other.failures
      coverage.merge(other.coverage)
      reached.merge(other.reached) { ($0.stage, $0.count + $1.count) }
    }
  }

  package var seeds: Range<UInt64>
  package var workers: Int
  /// A worker ends when this many of its seeds have failed.
  package var failureLimit: Int

  package init(
    seeds: Range<UInt64>, workers: Int? = nil, failureLimit: Int = 5
  ) {
    self.seeds = seeds
    self.workers = workers ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    self.failureLimit = failureLimit
  }

  package func run() async throws -> Report {
    try await withThrowingTaskGroup(of: Report.self) { group in
      for worker in 0..<workers {
        // Every other seed of a worker closes its files after each call, as a stream among many does.
        let threads = [try DiskThread(openStreams: .max), try DiskThread(openStreams: 0)]
        group.addTask { await run(worker: worker, on: threads) }
      }
      var report = Report()
      for try await part in group { report.merge(part) }
      report.failures.sort { $0.seed < $1.seed }
      return report
    }
  }

  @concurrent private func run(worker: Int, on threads: [DiskThread]) async -> Report {
    var report = Report()
    for seed in seeds where Int(seed % UInt64(workers)) == worker {
      let simulation = Simulation(Scenario(seed: seed), thread: threads[Self.threadIndex(of: seed)])
      report.add(await simulation.run())
      for stage in simulation.disk.injectable {
        report.reached[stage.code] = (stage, (report.reached[stage.code]?.count ?? 0) + 1)
      }
      if report.failures.count >= failureLimit { break }
    }
    return report
  }

  private static func threadIndex(of seed: UInt64) -> Int { Int(seed >> 3 & 1) }

  /// Runs one seed again and returns everything that happens, a line each.
  package static func trace(seed: UInt64) async throws -> (lines: [String], failures: [String]) {
    let thread = try DiskThread(openStreams: threadIndex(of: seed) == 0 ? .max : 0)
    let outcome = await Simulation(Scenario(seed: seed), thread: thread, isTraced: true).run()
    return (outcome.trace, outcome.failures)
  }
}
