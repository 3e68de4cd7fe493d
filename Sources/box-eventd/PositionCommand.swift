import ArgumentParser
import BoxEvents
import EventDaemon
import Spool

struct PositionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "position", abstract: "Show or set a stream's position.",
    subcommands: [Show.self, Set.self])

  struct Show: ConfiguredCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Print a stream's position.")

    @OptionGroup var configuration: ConfigurationOption
    @Argument(help: "The stream; without it, all of them, with their names if there are several.")
    var stream: String?

    func run() async throws {
      try StateOwner.become(of: configuration.path, environment: configuration.environment)
      let tools = configuration.readingTools()
      let streams = try stream.map { [try tools.stream(named: $0)] } ?? tools.streams()
      var missing: String?
      for stream in streams {
        if let record = try tools.position(of: stream) {
          StandardOutput.print((streams.count > 1 ? "\(stream.name): " : "") + "\(record.position)")
        } else {
          missing = missing ?? stream.name
        }
      }
      guard let missing else { return }
      throw DaemonFailure(
        .data, "stream \(missing): position file missing or corrupt",
        hint:
          "It is made, or rebuilt from the spool, when the stream begins: start box-eventd. If it runs, the reason "
          + "for the delay is in: box-eventd status.")
    }
  }

  struct Set: ConfiguredCommand {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "Set a stream's position; the daemon must be stopped.",
      discussion: """
        The change is recorded in gaps.ndjson. Events that are still in the spool are recognised by their ids \
        and not stored twice, so moving back is safe.
        """)

    @OptionGroup var configuration: ConfigurationOption
    @Argument(help: "The stream.") var stream: String
    @Argument(help: "now, oldest, or the digits of a position.") var value: String

    func run() async throws {
      guard let position = ReadPosition(value) else {
        throw DaemonFailure(
          .usage, "not a position: \"\(value)\"", hint: "Give now, oldest, or the digits of a position.")
      }
      try StateOwner.become(of: configuration.path, environment: configuration.environment)
      let record: PositionRecord
      do {
        let tools = StreamTools(try configuration.load(), unit: configuration.unit)
        record = try tools.setPosition(of: try tools.stream(named: stream), to: position)
      } catch {
        throw StateOwner.explained(error, configuration.path, environment: configuration.environment)
      }
      StandardOutput.print(
        "\(stream): continues from \(value.allSatisfy(\.isNumber) ? "position \(value)" : value); the next event has ordinal \(record.ordinal)"
      )
    }
  }
}
