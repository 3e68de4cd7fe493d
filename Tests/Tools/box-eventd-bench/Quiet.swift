/// Daemon and floor poll side by side while nothing happens.
struct Quiet {
  let bench: Bench

  func run(_ report: inout Report) throws {
    let seconds = bench.scale.quietSeconds
    report.section("One stream polls, nothing happens for \(fixed(seconds)) s")
    var runs: [(contender: Contender, environment: BenchEnvironment, responder: Responder, child: Child)] = []
    for contender in bench.contenders {
      let environment = try BenchEnvironment(in: bench.directory)
      let responder = try bench.responder(environment)
      let child = try contender.launch(bench.programs, environment, responder, start: "now")
      try until("a long poll", running: child) { try responder.count("held") == 1 }
      runs.append((contender, environment, responder, child))
    }
    pause(min(3, seconds))
    let before = try runs.map { try Activity(of: $0.child) }
    pause(seconds)
    var turns = Turns<Activity.Change>()
    for (run, before) in zip(runs, before) {
      turns.results[run.contender] = [try Activity(of: run.child).change(since: before)]
    }
    report.row("resident memory, MiB", turns.median(\.mebibytes), digits: 1, goal: .value(24))
    report.row("threads", turns.median(\.threads), digits: 0, goal: .value(6))
    report.row("wake-ups a second", turns.median(\.switches), goal: .value(1))
    report.row("CPU, % of a core", turns.median(\.cpuPercent), digits: 3)
    report.row("descriptors", turns.median(\.descriptors), digits: 0)
    let starts = try (0..<bench.scale.rounds).map { _ in try startSeconds() * 1000 }
    report.row(
      "start until READY, ms", Sides(daemon: percentile(50, of: starts)), digits: 1, goal: .value(50))
  }

  private func startSeconds() throws -> Double {
    let environment = try BenchEnvironment(in: bench.directory)
    let responder = try bench.responder(environment)
    let (child, seconds) = try Start.measure(bench, .daemon, environment, responder, start: "now")
    child.end()
    return seconds
  }
}
