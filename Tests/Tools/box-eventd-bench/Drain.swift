import TestSystem

/// Each contender reads the backlog, page by page.
struct Drain {
  private struct Result {
    var cpuMicroseconds: Double
    /// From the start of the process until the last event is durable.
    var wallSeconds: Double
    var peakMebibytes: Double
  }

  let bench: Bench

  private var events: Int { bench.scale.events }

  func run(_ report: inout Report) throws {
    report.section("\(events) events of 1650 bytes are waiting; medians of \(bench.scale.rounds) runs")
    let environment = try BenchEnvironment(in: bench.directory)
    let plainPages = try bench.responder(environment, backlog: events)
    let gzipPages = try bench.responder(environment, backlog: events, offersGzip: true)
    var (plain, gzip) = (Turns<Result>(), Turns<Result>())
    for round in 0..<bench.scale.rounds {
      // TLS has no goal, and takes a turn in the first round only.
      let contenders = round == 0 ? bench.contenders : [.daemon, .floor]
      try plain.take(contenders) { try measure($0, plainPages) }
      try gzip.take(contenders) { try measure($0, gzipPages, acceptsGzip: true) }
    }
    rows(&report, "plain", plain, cpu: .ratio(1.25), wall: .ratio(1.2))
    rows(&report, "gzip", gzip, cpu: nil, wall: nil)
    var beside = gzip.median { $0.cpuMicroseconds / Double(events) }
    beside.baseline = plain.median { $0.cpuMicroseconds / Double(events) }.baseline
    report.row("gzip beside C plain: CPU an event, µs", beside, goal: .ratio(1.4))
  }

  private func rows(
    _ report: inout Report, _ pages: String, _ turns: Turns<Result>, cpu: Report.Goal?, wall: Report.Goal?
  ) {
    report.row("\(pages): CPU an event, µs", turns.median { $0.cpuMicroseconds / Double(events) }, goal: cpu)
    report.row("\(pages): until all is durable, s", turns.median(\.wallSeconds), goal: wall)
    report.row("\(pages): peak resident memory, MiB", turns.median(\.peakMebibytes), digits: 1)
  }

  private func measure(_ contender: Contender, _ responder: Responder, acceptsGzip: Bool = false) throws
    -> Result
  {
    let environment = try BenchEnvironment(in: bench.directory)
    let watch = try PositionWatch(environment)
    let start = MonotonicTime.now
    let child = try contender.launch(
      bench.programs, environment, responder, start: "oldest", acceptsGzip: acceptsGzip)
    let end = try watch.reaches(events, child: child)
    let result = Result(
      cpuMicroseconds: try child.cpuMicroseconds(), wallSeconds: Double(end - start) / 1e9,
      peakMebibytes: try child.mebibytes("VmHWM"))
    child.end()
    try Tally.require(events, in: environment.spool(of: environment.streams[0]))
    return result
  }
}
