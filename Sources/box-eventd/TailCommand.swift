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
    help: "How many of the last events that match to print (default: 10; with --since all).",
    transform: Self.count(of:))
  var count: Int?

  @Flag(name: .shortAndLong, help: "Keep printing new events as they come.") var follow = false

  @Option(name: .customLong("type"), help: .init("Only this event_type; may be repeated.", valueName: "type"))
  var types: [String] = []

  @Option(
    help: .init("Only events since: 2026-11-23T10:00:00Z, or 10m for ten minutes ago.", valueName: "time"))
  var since: String?

  @Option(help: "The lines as they are, or one short line each.") var output = EventTail.Output.json

  func validate() throws {
    if let since, EventFilter.since(since, now: 0) == nil {
      throw ValidationError("--since is a time such as 2026-11-23T10:00:00Z, or a duration such as 10m")
    }
  }

  /// `+5` would be read as 5, which tail(1) takes for another command.
  private static func count(of text: String) throws -> Int {
    guard let count = Int(text), count >= 0, text.utf8.first != UInt8(ascii: "+") else {
      throw ValidationError("it is a number, 0 or more")
    }
    return count
  }

  func run() async throws {
    let tools = configuration.readingTools()
    let filter = EventFilter(
      types: types, since: since.flatMap { EventFilter.since($0, now: Date().timeIntervalSince1970) })
    let last = count ?? (since == nil ? 10 : nil)
    let stream = try tools.stream(named: stream)
    let reader = try tools.reader(of: stream, last: last, filter: filter)
    var tail = EventTail(
      reader, filter: filter, output: output, isForTerminal: isatty(STDOUT_FILENO) == 1)
    var isFirst = true
    repeat {
      var hasShown = false
      let hasRead = try tail.read(warn: StandardOutput.warn) {
        StandardOutput.print($0)
        hasShown = true
      }
      try StandardOutput.check()
      if isFirst, !hasShown { try tools.unusedTypes(in: stream, types).forEach(StandardOutput.warn) }
      isFirst = false
      guard follow, !hasRead else { continue }
      try StandardOutput.checkReader()
      try await Task.sleep(for: .milliseconds(200))
    } while follow
  }
}
