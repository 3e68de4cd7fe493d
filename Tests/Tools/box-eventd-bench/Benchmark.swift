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
    FileLimit.raise()
    let scale = Scale(self)
    let bench = try Bench(
      programs: Programs(daemon: daemon, floor: floor, responder: responder), directory: directory,
      scale: scale, usesTLS: !withoutTLS)
    var report = Report(comparesGoals: !quick)
    try bench.reportResponder()
    for part in Part.allCases where only.contains(part) {
      switch part {
      case .drain: try Drain(bench: bench).run(&report)
      case .delay: try Delay(bench: bench).run(&report)
      case .quiet: try Quiet(bench: bench).run(&report)
      case .streams: for count in scale.streams { try ManyStreams(bench: bench, count: count).run(&report) }
      case .growth: try Growth(bench: bench).run(&report)
      case .verify: try Verification(bench: bench).run(&report)
      }
    }
    report.end()
  }
}

/// How much each part does.
struct Scale {
  let rounds: Int
  let events: Int
  /// Two calls an event, and a start: the daemon reads at most 175 pages that aren't full without a pause, to stay
  /// below Box's limit of 1,000 calls a minute and user.
  let singles: Int
  let quietSeconds: Double
  let streams: [Int]
  /// While they are spread over many streams.
  let spreadSeconds: Int
  let growth: Int
  let verifiedBytes: Int

  init(_ options: Benchmark) {
    let isQuick = options.quick
    rounds = options.rounds ?? (isQuick ? 1 : 3)
    events = options.events ?? (isQuick ? 2000 : 200_000)
    singles = isQuick ? 5 : 70
    quietSeconds = isQuick ? 0.5 : 20
    streams = !options.streams.isEmpty ? options.streams : isQuick ? [20] : [1000, 10_000]
    spreadSeconds = isQuick ? 1 : 10
    growth = options.growth ?? (isQuick ? 20_000 : 5_000_000)
    verifiedBytes = options.verify ?? (isQuick ? 2_000_000 : 1_000_000_000)
  }
}

struct Programs {
  let daemon: String
  let floor: String
  let responder: String
}

/// What every part has in common.
struct Bench {
  let programs: Programs
  let directory: String
  let scale: Scale
  /// Nil without TLS.
  let certificate: Certificate?

  init(programs: Programs, directory: String, scale: Scale, usesTLS: Bool) throws {
    self.programs = programs
    self.directory = directory
    self.scale = scale
    certificate = usesTLS ? try Certificate(in: directory) : nil
  }

  /// In the order of their turns.
  var contenders: [Contender] { certificate == nil ? [.daemon, .floor] : Contender.allCases }

  func responder(_ environment: BenchEnvironment, feeds: Int = 1, backlog: Int = 0, offersGzip: Bool = false)
    throws
    -> Responder
  {
    try Responder(
      programs.responder, feeds: feeds, backlog: backlog, offersGzip: offersGzip, certificate: certificate,
      log: environment.log)
  }

  /// What the yardstick itself adds to every delay.
  func reportResponder() throws {
    let environment = try BenchEnvironment(in: directory)
    let responder = try responder(environment)
    let output = "\(environment.root)/probe"
    let count = scale.rounds > 1 ? 2000 : 50
    try Child(programs.responder, ["probe", "\(responder.port)", "\(count)"], log: output).finish()
    print("The responder's own share of every delay, in µs: median and 99th percentile of \(count)")
    for line in String(decoding: Files.contents(output), as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3 else { throw BenchmarkError("the probe printed: \(line)") }
      let name = words[0] == "read" ? "a read, there and back" : "from an event to its poll's answer"
      print("  \(padded(name, 40))\(padded(String(words[1]), 10))\(words[2])")
    }
  }
}
