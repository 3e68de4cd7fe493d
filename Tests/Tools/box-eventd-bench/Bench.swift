/// How much each part does.
struct Scale {
  let rounds: Int
  let events: Int
  /// Two calls an event, and a start: the daemon reads at most 175 pages that aren't full without a pause, to stay
  /// below Box's limit of 1,000 calls a minute and user.
  let singles: Int
  let quietSeconds: Double
  let quietSecondsOfMany: Double
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
    quietSecondsOfMany = isQuick ? 0.5 : 10
    streams = !options.streams.isEmpty ? options.streams : isQuick ? [20] : [1000, 10_000]
    spreadSeconds = isQuick ? 1 : 10
    growth = options.growth ?? (isQuick ? 20_000 : 5_000_000)
    verifiedBytes = options.verify ?? (isQuick ? 2_000_000 : 500_000_000)
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
