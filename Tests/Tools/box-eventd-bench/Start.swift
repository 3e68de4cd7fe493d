import TestSystem

/// From the start of the daemon's process until it is ready.
enum Start {
  static func measure(
    _ bench: Bench, _ contender: Contender, _ environment: BenchEnvironment, _ responder: Responder,
    start: String
  ) throws -> (child: Child, seconds: Double) {
    let (child, _, begun, ready) = try launch(bench, contender, environment, responder, start: start)
    return (child, Double(ready - begun) / 1e9)
  }

  static func launch(
    _ bench: Bench, _ contender: Contender, _ environment: BenchEnvironment, _ responder: Responder,
    start: String
  ) throws -> (child: Child, manager: ServiceManager, begun: UInt64, ready: UInt64) {
    let manager = try ServiceManager(path: "\(environment.root)/notify-\(MonotonicTime.now)")
    let begun = MonotonicTime.now
    let child = try contender.launch(
      bench.programs, environment, responder, start: start, manager: manager)
    return (child, manager, begun, try manager.isReady(times: 1, child: child))
  }
}
