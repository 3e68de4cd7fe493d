/// Each contender polls and receives one event after the other.
struct Delay {
  private struct Result {
    /// From produced to durable, of each event after the warm-up.
    var milliseconds: [Double]
    var cpuMicroseconds: Double
  }

  private static let warmUp = 6
  private static let interval = 35

  let bench: Bench

  private var singles: Int { bench.scale.singles }

  func run(_ report: inout Report) throws {
    let rounds = bench.scale.rounds == 1 ? 1 : bench.scale.rounds + 2
    report.section(
      "Single events \(Self.interval) ms apart, from produced to durable; \(rounds) runs of \(singles), so few that "
        + "the daemon doesn't space its reads")
    var turns = Turns<Result>()
    for _ in 0..<rounds { try turns.take(bench.contenders) { try measure($0) } }
    func delay(_ percent: Int) -> Sides {
      func one(_ contender: Contender) -> Double? {
        turns.results[contender].map { percentile(percent, of: $0.flatMap(\.milliseconds)) }
      }
      return Sides(daemon: one(.daemon) ?? .nan, baseline: one(.floor), tls: one(.daemonOverTLS))
    }
    report.row("median, ms", delay(50), goal: .ratio(2))
    report.row("99th percentile, ms", delay(99), goal: .ratio(1.5))
    let cpu = turns.median { $0.cpuMicroseconds / 1000 / Double(singles) }
    report.row("CPU an event, ms", cpu, goal: .value(0.9))
    try systemCalls(&report)
  }

  private func systemCalls(_ report: inout Report) throws {
    guard SystemCalls.isInstalled else { return report.note("system calls: strace isn't installed") }
    let daemon = try calls(.daemon)
    let floor = try calls(.floor)
    func total(_ calls: [(name: String, count: Int)]) -> Double {
      Double(calls.map(\.count).reduce(0, +)) / Double(singles)
    }
    report.row(
      "system calls an event", Sides(daemon: total(daemon), baseline: total(floor)), digits: 1,
      goal: .value(25))
    let kinds = daemon.map { "\($0.name) \(fixed(Double($0.count) / Double(singles)))" }
    for start in stride(from: 0, to: min(18, kinds.count), by: 6) {
      report.note("  " + kinds[start..<min(kinds.count, start + 6)].joined(separator: ", "))
    }
  }

  private func measure(_ contender: Contender) throws -> Result {
    try polling(contender) { environment, responder, watch, child in
      let before = try child.cpuMicroseconds()
      try produce(singles, after: Self.warmUp, responder, watch, child)
      let cpu = try child.cpuMicroseconds() - before
      let produced = try responder.produced()
      let delays = watch.milliseconds(produced)
      guard delays.count == singles else { throw BenchmarkError("only \(delays.count) events are durable") }
      return Result(milliseconds: delays, cpuMicroseconds: cpu)
    }
  }

  private func calls(_ contender: Contender) throws -> [(name: String, count: Int)] {
    try polling(contender) { environment, responder, watch, child in
      let calls = try SystemCalls(of: child, environment)
      try produce(singles, after: Self.warmUp, responder, watch, child)
      return try calls.end()
    }
  }

  /// Runs it up to its first polls, and checks afterwards that it has all.
  private func polling<Value>(
    _ contender: Contender, _ body: (BenchEnvironment, Responder, PositionWatch, Child) throws -> Value
  ) throws -> Value {
    let environment = try BenchEnvironment(in: bench.directory)
    let responder = try bench.responder(environment)
    let watch = try PositionWatch(environment)
    let child = try contender.launch(bench.programs, environment, responder, start: "now")
    try until("a long poll", running: child) { try responder.count("held") == 1 }
    try produce(Self.warmUp, after: 0, responder, watch, child)
    _ = try responder.produced()
    let value = try body(environment, responder, watch, child)
    child.end()
    try Tally.require(singles + Self.warmUp, in: environment.spool(of: environment.streams[0]))
    return value
  }

  /// Until the last is durable and the client polls again.
  private func produce(
    _ count: Int, after earlier: Int, _ responder: Responder, _ watch: PositionWatch, _ child: Child
  ) throws {
    try responder.schedule(count, everyMicroseconds: Self.interval * 1000)
    try watch.reaches(earlier + count, child: child)
    try until("the next long poll", running: child) { try responder.count("held") == 1 }
  }
}
