import Glibc
import TestSystem

/// Many users' streams in one process, all polling at once; then events for all of them.
struct ManyStreams {
  private struct Result {
    var readySeconds = 0.0
    var pollingSeconds = 0.0
    var quiet = Activity.Change(mebibytes: 0, threads: 0, descriptors: 0, cpuPercent: 0, switches: 0)
    /// Of each target, the slowest of three.
    var statusMilliseconds: [Double] = []
    var delays: [Double] = []
    var cpuMilliseconds = 0.0
    var mebibytesAfterwards = 0.0
    var checkSeconds = 0.0
    var reloadSeconds = 0.0
  }

  private static let targets = ["/status", "/metrics", "/"]

  let bench: Bench
  let count: Int

  private var events: Int { 1000 * bench.scale.spreadSeconds }

  func run(_ report: inout Report) throws {
    report.section("\(count) streams of as many users in one process", baseline: "")
    // What a stream costs is the difference to one stream.
    let (base, many) = (try measure(.daemon, streams: 1), try measure(.daemon, streams: count))
    let tls: (base: Result, many: Result)? =
      bench.certificate == nil
      ? nil : (try measure(.daemonOverTLS, streams: 1), try measure(.daemonOverTLS, streams: count))
    func sides(_ metric: (Result) -> Double) -> Sides {
      Sides(daemon: metric(many), tls: tls.map { metric($0.many) })
    }
    func each(_ metric: (Result) -> Double) -> Sides {
      let others = Double(max(1, count - 1))
      return Sides(
        daemon: (metric(many) - metric(base)) / others,
        tls: tls.map { (metric($0.many) - metric($0.base)) / others })
    }
    report.row("memory of each, KiB", each { $0.quiet.mebibytes * 1024 }, digits: 1, goal: .value(35))
    report.row("descriptors of each", each(\.quiet.descriptors), goal: .value(1.05))
    report.row("resident memory, MiB", sides(\.quiet.mebibytes), digits: 1)
    report.row("CPU while quiet, % of a core", sides(\.quiet.cpuPercent), goal: .value(1))
    report.row("start until READY, s", sides(\.readySeconds), goal: .value(count > 1000 ? 4 : 0.5))
    report.row("start until all poll, s", sides(\.pollingSeconds), goal: .value(30))
    report.row("1,000 events/s: median, ms", sides { percentile(50, of: $0.delays) }, digits: 1)
    report.row(
      "1,000 events/s: 99th percentile, ms", sides { percentile(99, of: $0.delays) }, digits: 1,
      goal: count > 1000 ? .value(1000) : nil)
    report.row("1,000 events/s: CPU an event, ms", sides(\.cpuMilliseconds))
    report.row("resident memory after them, MiB", sides(\.mebibytesAfterwards), digits: 1)
    for (index, target) in Self.targets.enumerated() {
      report.row("GET \(target), ms", sides { $0.statusMilliseconds[index] }, digits: 1, goal: .value(100))
    }
    report.row("check, s", Sides(daemon: many.checkSeconds), goal: .value(10))
    report.row("reload with a stream more, s", Sides(daemon: many.reloadSeconds), goal: .value(10))
  }

  private func measure(_ contender: Contender, streams: Int) throws -> Result {
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
    pause(min(3, bench.scale.quietSecondsOfMany))
    let before = try Activity(of: child)
    pause(streams == 1 ? 1 : bench.scale.quietSecondsOfMany)
    result.quiet = try Activity(of: child).change(since: before)
    if streams > 1 {
      try status(environment, &result)
      try spread(environment, responder, child, &result)
      if contender == .daemon { try reload(environment, responder, child, manager, &result) }
    }
    child.end()
    return result
  }

  private func status(_ environment: BenchEnvironment, _ result: inout Result) throws {
    result.statusMilliseconds = try Self.targets.map { target in
      let times = try (0..<3).map { _ in
        let start = MonotonicTime.now
        _ = try HTTPCall.get(target, socket: environment.status)
        return Double(MonotonicTime.now - start) / 1e6
      }
      return times.max() ?? 0
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
    pause(min(1, bench.scale.quietSecondsOfMany))
    result.mebibytesAfterwards = try child.mebibytes("VmRSS")
    result.cpuMilliseconds = (try child.cpuMicroseconds() - before) / 1000 / Double(events)
    var counts: [Int: Int] = [:]
    for event in produced { counts[event.user, default: 0] += 1 }
    for (user, count) in counts {
      try Tally.require(count, in: environment.spool(of: environment.streams[user - 1]))
    }
  }

  private func reload(
    _ environment: BenchEnvironment, _ responder: Responder, _ child: Child, _ manager: ServiceManager,
    _ result: inout Result
  ) throws {
    try environment.configure(responder, overTLS: false, start: "now", more: 1)
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
