import TestSystem

/// One stream receives many events: memory, cost and recovery at the end, beside those at the start.
struct Growth {
  let bench: Bench

  private var events: Int { bench.scale.growth }
  private var first: Int { max(1, events / 50) }

  func run(_ report: inout Report) throws {
    report.section(
      "One stream receives \(events) events, \(events * 1651 / 1_000_000) MB", baseline: "at first")
    let environment = try BenchEnvironment(in: bench.directory)
    let responder = try bench.responder(environment)
    let watch = try PositionWatch(environment)
    try responder.produce(first)
    let (child, early) = try Start.measure(bench, .daemon, environment, responder, start: "oldest")
    let before = try quiet(after: first, watch, responder, child)
    try responder.produce(events - first)
    let tenth = (events - first) / 10
    let head = try cost(from: first, to: first + tenth, watch, child)
    let tail = try cost(from: events - tenth, to: events, watch, child)
    let after = try quiet(after: events, watch, responder, child)
    child.end()
    report.row(
      "resident memory, after \(first), MiB", Sides(daemon: after, baseline: before), digits: 1,
      goal: .ratio(1.05))
    report.row(
      "CPU an event, last and first tenth, µs", Sides(daemon: tail, baseline: head), goal: .ratio(1.1))
    try Tally.require(events, in: environment.spool(of: environment.streams[0]))
    let (again, late) = try Start.measure(bench, .daemon, environment, responder, start: "oldest")
    again.end()
    report.row(
      "recovery: start until READY, ms", Sides(daemon: late * 1000, baseline: early * 1000), digits: 1,
      goal: .value(100))
  }

  /// Resident memory once all is durable and the stream polls.
  private func quiet(after count: Int, _ watch: PositionWatch, _ responder: Responder, _ child: Child) throws
    -> Double
  {
    try watch.reaches(count, child: child)
    try until("a long poll", running: child) { try responder.count("held") == 1 }
    pause(min(3, bench.scale.quietSeconds))
    return try child.mebibytes("VmRSS")
  }

  /// Microseconds of CPU an event in this stretch of the feed.
  private func cost(from: Int, to: Int, _ watch: PositionWatch, _ child: Child) throws -> Double {
    func moment(_ count: Int) throws -> (events: Int, cpu: Double) {
      try until("\(count) events durable", within: 600, every: 0.002, running: child) {
        watch.durable >= count
      }
      return (watch.durable, try child.cpuMicroseconds())
    }
    let start = try moment(from)
    let end = try moment(to)
    return (end.cpu - start.cpu) / Double(max(1, end.events - start.events))
  }
}
