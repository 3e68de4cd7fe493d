import TestSystem

/// What a process has used and holds, at one moment.
struct Activity {
  struct Change {
    /// As it is now.
    var mebibytes: Double
    var threads: Double
    var descriptors: Double
    /// Since then.
    var cpuPercent: Double
    /// Times a second that one of its threads got a core.
    var switches: Double
  }

  private let nanoseconds: UInt64
  private let cpuMicroseconds: Double
  private let switches: [String: Int]
  private let child: Child

  init(of child: Child) throws {
    self.child = child
    switches = child.switches()
    cpuMicroseconds = try child.cpuMicroseconds()
    nanoseconds = MonotonicTime.now
  }

  func change(since earlier: Activity) throws -> Change {
    let seconds = Double(nanoseconds - earlier.nanoseconds) / 1e9
    let more = switches.map { $0.value - (earlier.switches[$0.key] ?? 0) }.reduce(0, +)
    return Change(
      mebibytes: try child.mebibytes("VmRSS"), threads: Double(try child.threads()),
      descriptors: Double(child.descriptors),
      cpuPercent: (cpuMicroseconds - earlier.cpuMicroseconds) / 1e4 / seconds,
      switches: Double(more) / seconds)
  }
}

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
