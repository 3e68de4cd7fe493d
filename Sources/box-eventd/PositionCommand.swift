import ArgumentParser
import BoxEvents
import EventDaemon
import FoundationEssentials
import Spool

struct PositionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "position",
    abstract: "Read or move a stream's position.",
    subcommands: [Show.self, Set.self])

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Print where a stream is.")

    @OptionGroup var configuration: ConfigurationOption
    @Argument(help: "The stream.") var stream: String

    func run() async throws {
      try await reportingFailure {
        let environment = ProcessInfo.processInfo.environment
        try StateOwner.become(of: configuration.path, environment: environment)
        let tools = StreamTools(try Configuration.load(configuration.path, environment: environment))
        guard let record = try tools.position(of: try tools.stream(named: stream)) else {
          throw CommandFailure(
            .data, "the stream \(stream) has no position",
            hint: "it has never run, or its position file is lost")
        }
        StandardOutput.print("\(record.position)")
      }
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set",
      abstract: "Move a stream's position; the daemon must be stopped.",
      discussion: """
        The move is recorded in gaps.ndjson. Events that are still in the spool are known by their ids \
        and not fetched twice, so moving back is safe.
        """)

    @OptionGroup var configuration: ConfigurationOption
    @Argument(help: "The stream.") var stream: String
    @Argument(help: "now, oldest, or the digits of a position.") var value: String

    func run() async throws {
      try await reportingFailure {
        guard let position = ReadPosition(value) else {
          throw CommandFailure(
            .usage, "\"\(value)\" is no position", hint: "give now, oldest, or the digits of a position")
        }
        let environment = ProcessInfo.processInfo.environment
        try StateOwner.become(of: configuration.path, environment: environment)
        let tools = StreamTools(try Configuration.load(configuration.path, environment: environment))
        let record = try tools.setPosition(of: try tools.stream(named: stream), to: position)
        StandardOutput.print("\(stream): goes on from \(record.position), at ordinal \(record.ordinal)")
      }
    }
  }
}
