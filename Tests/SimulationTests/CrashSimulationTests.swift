import Simulation
import Testing

/// The feed machine, its driver and the spool in a simulated world that breaks.
/// `packaging/tools/simulate-crashes --seed N --trace` prints what happens in a seed.
struct CrashSimulationTests {
  /// A part of what `packaging/tests/crashes` runs; with seeds of its own.
  @Test func everySeedKeepsEverything() async throws {
    let report = try await SimulationBatch(seeds: 1_000_000..<1_001_000).run()
    #expect(report.seeds == 1000)
    #expect(report.faults > 2000)
    #expect(report.late > 50)
    for failure in report.failures {
      Issue.record("seed \(failure.seed): \(failure.messages.joined(separator: "; "))")
    }
    #expect(report.unlisted.isEmpty, "stages that the coverage doesn't list: \(report.unlisted)")
  }

  /// The same seed, the same run, call by call.
  @Test func seedsRepeat() async throws {
    for seed in [UInt64(3), 77, 1234] {
      let first = try await SimulationBatch.trace(seed: seed)
      let second = try await SimulationBatch.trace(seed: seed)
      #expect(first.lines.count > 50)
      #expect(first.lines == second.lines, "seed \(seed)")
    }
  }

  /// A part of `packaging/tools/simulate-crashes --exhaustive`.
  @Test func survivesACrashAtEveryNinthOperation() async throws {
    let report = await (try ExhaustiveSimulation()).run(stride: 9)
    #expect(report.operations >= 200)
    #expect(report.crashes > report.operations)
    #expect(report.truncated == 0)
    for failure in report.failures.prefix(20) { Issue.record("\(failure)") }
  }
}
