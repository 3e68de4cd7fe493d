import ArgumentParser

/// Measures the daemon beside the floor. The two take turns on the same machine, so that what disturbs one
/// disturbs the other.
@main
struct Benchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the daemon beside a minimal C client that saves the same pages.",
    discussion: """
      Prints a row for each measurement: the daemon's, the C client's, their ratio, the daemon's over TLS, the goal \
      and whether it is met. Both talk to a minimal responder in C, a process of its own; what that adds is printed \
      first. Fails if a part can't be run, or if an event is missing or there twice, not if a goal is missed.
      """)

  enum Part: String, CaseIterable, ExpressibleByArgument {
    case drain, delay, quiet, streams, growth, verify
  }

  @Option(help: ArgumentHelp("The daemon's executable.", valueName: "file"))
  var daemon: String

  @Option(help: ArgumentHelp("The C client's executable.", valueName: "file"))
  var floor: String

  @Option(help: ArgumentHelp("The responder's executable.", valueName: "file"))
  var responder: String

  @Option(help: ArgumentHelp("Where spools are made; on the disk to be measured.", valueName: "directory"))
  var directory = "/var/tmp"

  @Flag(help: "Run every part with small numbers, and compare nothing with a goal.")
  var quick = false

  @Flag(help: "Leave TLS out.")
  var withoutTLS = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Run these parts only: drain, delay, quiet, streams, growth, verify.", valueName: "part"))
  var only: [Part] = Part.allCases

  @Option(help: "Times each contender runs.")
  var rounds: Int?

  @Option(help: "Events of the backlog that is drained.")
  var events: Int?

  @Option(parsing: .upToNextOption, help: "How many streams poll at once in one process.")
  var streams: [Int] = []

  @Option(help: "Events after which memory and cost are compared with those at the start.")
  var growth: Int?

  @Option(help: "Bytes of the spool that is verified.")
  var verify: Int?

  func validate() throws {
    let numbers = [rounds, events, growth, verify].compactMap(\.self) + streams
    guard numbers.allSatisfy({ $0 > 0 }) else { throw ValidationError("A number is not above 0.") }
  }

  func run() throws {
    let scale = Scale(self)
    let bench = try Bench(
      programs: Programs(daemon: daemon, floor: floor, responder: responder), directory: directory,
      scale: scale, usesTLS: !withoutTLS)
    var report = Report(comparesGoals: !quick)
    try bench.reportResponder()
    for part in Part.allCases where only.contains(part) {
      switch part {
      case .drain: report.measure { try Drain(bench: bench).run(&$0) }
      case .delay: report.measure { try Delay(bench: bench).run(&$0) }
      case .quiet: report.measure { try Quiet(bench: bench).run(&$0) }
      case .streams:
        for count in scale.streams { report.measure { try ManyStreams(bench: bench, count: count).run(&$0) } }
      case .growth: report.measure { try Growth(bench: bench).run(&$0) }
      case .verify: report.measure { try Verification(bench: bench).run(&$0) }
      }
    }
    if !report.end() { throw ExitCode.failure }
  }
}
