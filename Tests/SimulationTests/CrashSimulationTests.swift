import Simulation
import Testing

/// The daemon's heart in a simulated world that breaks.
struct CrashSimulationTests {
  @Test func everySeedEndsWhole() async throws {
    let report = try await SimulationBatch(seeds: 0..<1000).run()
    for failure in report.failures {
      Issue.record("seed \(failure.seed): \(failure.messages.joined(separator: "; "))")
    }
  }
}
