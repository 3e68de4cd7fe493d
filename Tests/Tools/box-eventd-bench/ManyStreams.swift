import BoxSimulator
import TestSystem

/// Many streams of one account, all polling at once.
struct ManyStreams {
  struct Result {
    /// From the start of the process until every stream polls.
    var seconds: Double
    /// Resident while they poll.
    var mebibytes: Double
    /// From one event, which every stream gets, until the last stream has it on disk.
    var wakeSeconds: Double
  }

  let daemon: String
  let count: Int
  let directory: String

  func run() async throws -> Result {
    var options = SimulatorOptions()
    options.feed = .exact
    return try await BoxSimulator.run(options) { simulator in
      let names = (1...count).map { "stream-\($0)" }
      let environment = try BenchEnvironment(in: directory, streams: names)
      try environment.configure(simulator, streams: names, start: "now")
      let start = MonotonicTime.now
      let child = try Child(daemon, ["run", "--config", environment.configuration], log: environment.log)
      try await until(child) { simulator.statistics.heldPolls == count }
      let polling = MonotonicTime.now
      let resident = try child.mebibytes("VmRSS")

      simulator.produce(1)
      let produced = MonotonicTime.now
      let paths = names.map { "\(environment.spool)/\($0)/current" }
      try await until(child) { paths.allSatisfy { Files.contents($0).last == UInt8(ascii: "\n") } }
      let woken = MonotonicTime.now
      _ = try child.end()
      return Result(
        seconds: Double(polling - start) / 1e9, mebibytes: resident,
        wakeSeconds: Double(woken - produced) / 1e9)
    }
  }

  private func until(_ child: Child, _ isMet: () -> Bool) async throws {
    for _ in 0..<6000 {
      if isMet() { return }
      _ = try child.mebibytes("VmRSS")
      try await Task.sleep(for: .milliseconds(20))
    }
    throw BenchmarkError("\(count) streams are not ready after two minutes")
  }
}
