import ArgumentParser
import BoxSimulator

/// Measures the daemon beside the floor. The two take turns on the same machine, so that what disturbs one
/// disturbs the other.
@main
struct Benchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the daemon beside a minimal C client that saves the same pages.",
    discussion: "Every number is a median of the rounds. Nothing passes or fails here.")

  @Option(help: ArgumentHelp("The daemon's executable.", valueName: "file"))
  var daemon: String

  @Option(help: ArgumentHelp("The floor's executable.", valueName: "file"))
  var floor: String

  @Option(help: ArgumentHelp("Where spools are made; on the disk to be measured.", valueName: "directory"))
  var directory = "/var/tmp"

  @Option(help: "Times each contender runs.")
  var rounds = 3

  @Option(help: "Events of the backlog; 0 to leave it out.")
  var events = 200_000

  @Option(help: "Single events whose delay is measured; 0 to leave it out.")
  var singles = 40

  @Option(help: "Streams that poll at once in one process; 0 to leave it out.")
  var streams = 1000

  @Option(help: "Bytes of the spool that is verified; 0 to leave it out.")
  var verify = 1_000_000_000

  func run() async throws {
    FileLimit.raise()
    if events > 0 {
      try await drain(offersGzip: false)
      try await drain(offersGzip: true)
    }
    if singles > 0 { try await delay() }
    if streams > 0 { try await manyStreams() }
    if verify > 0 { try verification() }
  }

  private func drain(offersGzip: Bool) async throws {
    var options = SimulatorOptions()
    options.backlog = events
    options.feed = .exact
    options.feed.eventSizes = 1650...1650
    options.offersGzip = offersGzip
    let results = try await BoxSimulator.run(options) { simulator in
      try await inTurns { try await Drain(contender: $0, simulator: simulator, directory: directory).run() }
    }
    var table = Table(
      "\(events) events of 1650 bytes waiting, pages \(offersGzip ? "compressed" : "not compressed")")
    table.row("CPU an event, µs", results) { median($0.map(\.cpuMicroseconds)) / Double(events) }
    table.row("until all is durable, s", results) { median($0.map(\.wallSeconds)) }
    table.row("peak resident memory, MiB", results) { median($0.map(\.peakMebibytes)) }
    table.print()
  }

  private func delay() async throws {
    let results = try await inTurns {
      try await Delay(contender: $0, singles: singles, directory: directory).run()
    }
    var table = Table(
      "\(singles) single events, \(Delay.pause / .milliseconds(1)) ms apart: from produced to durable")
    table.row("median, ms", results) { median($0.map { percentile(50, of: $0.milliseconds) }) }
    table.row("99th percentile, ms", results) { median($0.map { percentile(99, of: $0.milliseconds) }) }
    table.row("CPU an event, µs", results) {
      median($0.map(\.cpuMicroseconds)) / Double(singles + Delay.warmUp)
    }
    table.row("peak resident memory, MiB", results) { median($0.map(\.peakMebibytes)) }
    table.print()
  }

  private func manyStreams() async throws {
    let one = try await ManyStreams(daemon: daemon, count: 1, directory: directory).run()
    let many = try await ManyStreams(daemon: daemon, count: streams, directory: directory).run()
    let each = (many.mebibytes - one.mebibytes) * 1024 / Double(max(1, streams - 1))
    print("\n\(streams) streams polling at once in one process")
    print("  all poll after, s               \(fixed(many.seconds, digits: 2))")
    print(
      "  resident memory, MiB            \(fixed(many.mebibytes))   (with one stream \(fixed(one.mebibytes)))"
    )
    print("  of it for each stream, KiB      \(fixed(each))")
    print("  one event for all durable, s    \(fixed(many.wakeSeconds, digits: 2))")
  }

  private func verification() throws {
    let results = try Verification(daemon: daemon, bytes: verify, directory: directory).run(rounds: rounds)
    var table = Table("a spool of \(verify / 1_000_000) MB verified, beside sha256sum of the same files")
    table.row("until done, s", results) { median($0.map(\.seconds)) }
    table.print()
  }

  /// Runs daemon and floor in turns.
  private func inTurns<Result>(
    _ measure: (Contender) async throws -> Result
  ) async throws -> Sides<[Result]> {
    var results = Sides<[Result]>(daemon: [], floor: [])
    for _ in 0..<max(1, rounds) {
      results.daemon.append(try await measure(.daemon(daemon)))
      results.floor.append(try await measure(.floor(floor)))
    }
    return results
  }
}
