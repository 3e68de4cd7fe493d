import BoxSimulator
import TestSystem

/// One contender reads the backlog.
struct Drain {
  struct Result {
    var cpuMicroseconds: Double
    /// From the start of the process until the last event is durable.
    var wallSeconds: Double
    var peakMebibytes: Double
  }

  let contender: Contender
  let simulator: BoxSimulator
  let directory: String

  func run() async throws -> Result {
    let environment = try BenchEnvironment(in: directory)
    let watch = try PositionWatch(
      environment.position(of: BenchEnvironment.stream), in: environment.state(of: BenchEnvironment.stream))
    guard let newest = UInt64(simulator.newestPosition()) else {
      throw BenchmarkError("the simulator has no events")
    }
    let start = MonotonicTime.now
    let child = try contender.launch(environment, simulator, start: "oldest")
    let end = try await watch.reaches(newest, child: child)
    let usage = try child.end()
    return Result(
      cpuMicroseconds: usage.cpuMicroseconds, wallSeconds: Double(end.nanoseconds - start) / 1e9,
      peakMebibytes: usage.peakMebibytes)
  }
}
