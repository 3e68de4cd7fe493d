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
