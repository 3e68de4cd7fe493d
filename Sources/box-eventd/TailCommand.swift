import ArgumentParser
import BoxEvents
import EventDaemon
import FoundationEssentials
import Spool

struct TailCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail",
    abstract: "Print the last events of a stream, and new ones as they come.",
    discussion: """
      Reads the spool's files, whether the daemon runs or not. The lines are what `tail -F` on the \
      stream's `current` file shows; this follows across segments without a gap and can filter.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable {
    case json
    case pretty
  }

  @OptionGroup var configuration: ConfigurationOption

  @Argument(help: "The stream; the first of the configuration if none is named.")
  var stream: String?

  @Option(name: .customShort("n"), help: "How many of the last events to print.")
  var count = 10

  @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on with new events as they come.")
  var follow = false

  @Option(
    name: .customLong("type"), help: ArgumentHelp("Only this event_type; may be repeated.", valueName: "type")
  )
  var types: [String] = []

  @Option(
    help: ArgumentHelp(
      "Only events since: 2026-11-23T10:00:00Z, or 10m for ten minutes ago.", valueName: "time"))
  var since: String?

  @Option(help: "The lines as they are, or one short line each.")
  var output = Output.json

  func validate() throws {
    guard count >= 0 else { throw ValidationError("-n is 0 or more") }
    if let since, EventText.since(since, now: 0) == nil {
      throw ValidationError("--since is a time such as 2026-11-23T10:00:00Z, or a duration such as 10m")
    }
  }

  func run() async throws {
    try await reportingFailure {
      let loaded = try Configuration.load(
        configuration.path, environment: ProcessInfo.processInfo.environment)
      let tools = StreamTools(loaded)
      guard let stream = try stream.map({ try tools.stream(named: $0) }) ?? loaded.streams.first else {
        throw CommandFailure(.configuration, "the configuration has no stream", hint: "add a [[stream]]")
      }
      var reader = try tools.reader(of: stream)
      // With --since the times decide, not the count.
      if since == nil { try tools.checked { () throws(StoreFailure) in try reader.seek(last: count) } }
      let filter = EventFilter(
        types: types, since: since.flatMap { EventText.since($0, now: Date().timeIntervalSince1970) })
      repeat {
        let hasRead = try tools.checked { () throws(StoreFailure) in try reader.read { show($0, filter) } }
        if follow, !hasRead { try await Task.sleep(for: .milliseconds(200)) }
      } while follow
    }
  }

  private func show(_ line: UnsafeRawBufferPointer, _ filter: EventFilter) {
    switch output {
    case .json:
      guard filter.isOpen || EventText(line).map(filter.passes) == true else { return }
      StandardOutput.print(String(decoding: line, as: UTF8.self))
    case .pretty:
      guard let event = EventText(line), filter.passes(event) else { return }
      StandardOutput.print(event.pretty)
    }
  }
}

/// Which events `tail` shows.
struct EventFilter {
  var types: [String]
  /// Seconds since 1970.
  var since: Double?

  /// Everything passes.
  var isOpen: Bool { types.isEmpty && since == nil }

  func passes(_ event: EventText) -> Bool {
    if !types.isEmpty, !types.contains(event.type ?? "") { return false }
    guard let since else { return true }
    // An event without a time can't be said to be older.
    return event.createdAt.map { $0 >= since } ?? true
  }
}
