import BoxSimulator

/// One contender polls and receives one event after the other.
struct Delay {
  struct Result {
    /// From produced to durable, of each event after the warm-up.
    var milliseconds: [Double]
    var cpuMicroseconds: Double
    var peakMebibytes: Double
  }

  static let warmUp = 6
  /// With the default number of events the daemon never waits to keep its reads below Box's limit.
  static let pause = Duration.milliseconds(250)

  let contender: Contender
  let singles: Int
  let directory: String

  func run() async throws -> Result {
    var options = SimulatorOptions()
    options.feed = .exact
    options.feed.eventSizes = 1650...1650
    options.offersGzip = false
    return try await BoxSimulator.run(options) { simulator in
      let environment = try BenchEnvironment(in: directory)
      let watch = try PositionWatch(
        environment.position(of: BenchEnvironment.stream), in: environment.state(of: BenchEnvironment.stream))
      let child = try contender.launch(environment, simulator, start: "now")
      try await simulator.wait { $0.heldPolls == 1 }
      try await produce(simulator)
      guard let newest = UInt64(simulator.newestPosition()) else { throw BenchmarkError("nothing to read") }
      _ = try await watch.reaches(newest, child: child)
      let usage = try child.end()
      return Result(
        milliseconds: Self.delays(simulator.entries(), watch.all).dropFirst(Self.warmUp).map(\.self),
        cpuMicroseconds: usage.cpuMicroseconds, peakMebibytes: usage.peakMebibytes)
    }
  }

  private func produce(_ simulator: BoxSimulator) async throws {
    var next = ContinuousClock.now
    for _ in 0..<(Self.warmUp + singles) {
      simulator.produce(1)
      next += Self.pause
      try await Task.sleep(until: next, clock: .continuous)
    }
  }

  /// For each entry the first sighting of a position after it.
  private static func delays(_ entries: [LedgerEntry], _ sightings: [PositionWatch.Sighting]) -> [Double] {
    var index = 0
    return entries.compactMap { entry in
      while index < sightings.count, sightings[index].position <= entry.position { index += 1 }
      guard index < sightings.count else { return nil }
      return Double(sightings[index].nanoseconds - entry.producedNanoseconds) / 1e6
    }
  }
}
