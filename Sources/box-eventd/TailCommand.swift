import ArgumentParser
import EventDaemon
import FoundationEssentials
import Glibc

extension EventTail.Output: ExpressibleByArgument {}

struct TailCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail", abstract: "Print the last events of a stream, and new ones as they come.",
    discussion: """
      Reads the spool's files, whether the daemon runs or not. It prints the lines that `tail -F` on the \
      stream's `current` file prints, but also follows from segment to segment without a gap, and filters.
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Argument(help: "The stream; without it, the first of the configuration.") var stream: String?

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: "How many of the last events that match to print (default: 10; with --since all).")
  var count: Int?

  @Flag(name: .shortAndLong, help: "Keep printing new events as they come.") var follow = false

  @Option(name: .customLong("type"), help: .init("Only this event_type; may be repeated.", valueName: "type"))
  var types: [String] = []

  @Option(
    help: .init("Only events since: 2026-11-23T10:00:00Z, or 10m for ten minutes ago.", valueName: "time"))
  var since: String?

  @Option(help: "The lines as they are, or one short line each.") var output = EventTail.Output.json

  func validate() throws {
    guard count ?? 0 >= 0 else { throw ValidationError("-n is 0 or more") }
    if let since, EventFilter.since(since, now: 0) == nil {
      throw ValidationError("--since is a time such as 2026-11-23T10:00:00Z, or a duration such as 10m")
    }
  }

  func run() async throws {
    let tools = configuration.readingTools()
    let filter = EventFilter(
      types: types, since: since.flatMap { EventFilter.since($0, now: Date().timeIntervalSince1970) })
    let last = count ?? (since == nil ? 10 : nil)
    let reader = try tools.reader(of: try tools.stream(named: stream), last: last, filter: filter)
    var tail = EventTail(
      reader, filter: filter, output: output, isForTerminal: isatty(STDOUT_FILENO) == 1)
    repeat {
      let hasRead = try tail.read(warn: StandardOutput.warn) { StandardOutput.print($0) }
      try StandardOutput.check()
      guard follow, !hasRead else { continue }
      try StandardOutput.checkReader()
      try await Task.sleep(for: .milliseconds(200))
    } while follow
  }
}
