import Glibc
import TestSystem

/// Many users' streams in one process, all polling at once; then events for all of them.
struct ManyStreams {
  private struct Result {
    var readySeconds = 0.0
    var pollingSeconds = 0.0
    var quiet = Activity.Change(mebibytes: 0, threads: 0, descriptors: 0, cpuPercent: 0, switches: 0)
    /// By target, the slowest of three.
    var statusMilliseconds: [String: Double] = [:]
    var delays: [Double] = []
    var cpuMilliseconds = 0.0
    var checkSeconds = 0.0
    var reloadSeconds = 0.0
  }

  private static let targets = ["/status", "/metrics", "/"]

  let bench: Bench
  let count: Int

  private var events: Int { 1000 * bench.scale.spreadSeconds }

  func run(_ report: inout Report) throws {
    // What a stream costs is the difference to one stream.
    let base = try measure(.daemon, streams: 1, isBase: true)
    let daemon = try measure(.daemon, streams: count)
    let tls: (base: Result, many: Result)? =
      bench.certificate == nil
      ? nil
      : (try measure(.daemonOverTLS, streams: 1, isBase: true), try measure(.daemonOverTLS, streams: count))
    func sides(_ metric: (Result, Result) -> Double) -> Sides {
      Sides(daemon: metric(daemon, base), tls: tls.map { metric($0.many, $0.base) })
    }
    report.section("\(count) streams of as many users in one process", baseline: "")
    let more = Double(max(1, count - 1))
    report.row(
      "memory of each, KiB", sides { ($0.quiet.mebibytes - $1.quiet.mebibytes) * 1024 / more }, digits: 1,
      goal: .value(35))
    report.row(
      "descriptors of each", sides { ($0.quiet.descriptors - $1.quiet.descriptors) / more },
      goal: .value(1.05))
    report.row("resident memory, MiB", sides { many, _ in many.quiet.mebibytes }, digits: 1)
    report.row("CPU while quiet, % of a core", sides { many, _ in many.quiet.cpuPercent }, goal: .value(1))
    let limit = count > 1000 ? 4.0 : 0.5
    report.row("start until READY, s", sides { many, _ in many.readySeconds }, goal: .value(limit))
    report.row("start until all poll, s", sides { many, _ in many.pollingSeconds }, goal: .value(30))
    for percent in [50, 99] {
      report.row(
        "1,000 events/s: \(percent)th percentile, ms",
        sides { many, _ in percentile(percent, of: many.delays) }, digits: 1,
        goal: percent == 99 ? .value(1000) : nil)
    }
    report.row("1,000 events/s: CPU an event, ms", sides { many, _ in many.cpuMilliseconds })
    for target in Self.targets {
      report.row(
        "GET \(target), ms", sides { many, _ in many.statusMilliseconds[target] ?? .nan }, digits: 1,
        goal: .value(100))
    }
    report.row("check, s", sides { many, _ in many.checkSeconds }, goal: .value(10))
    report.row("reload with a stream more, s", sides { many, _ in many.reloadSeconds }, goal: .value(10))
  }

  private func measure(_ contender: Contender, streams: Int, isBase: Bool = false) throws -> Result {
    let environment = try BenchEnvironment(in: bench.directory, streams: streams)
    let responder = try bench.responder(environment, feeds: streams)
    var result = Result()
    let (child, manager, begun, ready) = try Start.launch(
      bench, contender, environment, responder, start: "now")
    result.readySeconds = Double(ready - begun) / 1e9
    try until(
      "\(streams) long polls, got \((try? responder.count("held")) ?? 0)", every: 0.02, running: child
    ) {
      try responder.count("held") == streams
    }
    result.pollingSeconds = Double(MonotonicTime.now - begun) / 1e9
    pause(min(3, bench.scale.quietSeconds))
    let before = try Activity(of: child)
    pause(isBase ? 1 : bench.scale.quietSeconds)
    result.quiet = try Activity(of: child).change(since: before)
    guard !isBase else {
      child.end()
      return result
    }
    try status(environment, &result)
    try spread(environment, responder, child, &result)
    try reload(contender, environment, responder, child, manager, &result)
    child.end()
    return result
  }

  private func status(_ environment: BenchEnvironment, _ result: inout Result) throws {
    for target in Self.targets {
      let times = try (0..<3).map { _ in
        let start = MonotonicTime.now
        _ = try HTTPCall.get(target, socket: environment.status)
        return Double(MonotonicTime.now - start) / 1e6
      }
      result.statusMilliseconds[target] = times.max()
    }
  }

  /// A thousand events a second, each for another stream, and all must arrive.
  private func spread(
    _ environment: BenchEnvironment, _ responder: Responder, _ child: Child, _ result: inout Result
  ) throws {
    let watch = try PositionWatch(environment)
    let before = try child.cpuMicroseconds()
    try responder.schedule(events, user: 0, everyMicroseconds: 1000)
    try until("the end of the events", running: child) { try responder.count("scheduled") == 0 }
    let produced = try responder.produced()
    try until("\(events) events durable", every: 0.1, running: child) {
      watch.milliseconds(produced).count == events
    }
    result.delays = watch.milliseconds(produced)
    result.cpuMilliseconds = (try child.cpuMicroseconds() - before) / 1000 / Double(events)
    var counts: [Int: Int] = [:]
    for event in produced { counts[event.user, default: 0] += 1 }
    for (user, count) in counts {
      try Tally.require(count, in: environment.spool(of: environment.streams[user - 1]))
    }
  }

  private func reload(
    _ contender: Contender, _ environment: BenchEnvironment, _ responder: Responder, _ child: Child,
    _ manager: ServiceManager, _ result: inout Result
  ) throws {
    try environment.configure(responder, overTLS: contender == .daemonOverTLS, start: "now", more: 1)
    let start = MonotonicTime.now
    try Child(bench.programs.daemon, ["check", "--config", environment.configuration], log: environment.log)
      .finish()
    result.checkSeconds = Double(MonotonicTime.now - start) / 1e9
    let begun = MonotonicTime.now
    child.signal(SIGHUP)
    result.reloadSeconds = Double(try manager.isReady(times: 2, child: child) - begun) / 1e9
    try until("the new stream's long poll", running: child) {
      try responder.count("held") == environment.streams.count + 1
    }
  }
}
