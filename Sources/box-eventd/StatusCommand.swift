import ArgumentParser
import EventDaemon
import FoundationEssentials

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show what the running daemon is doing.",
    discussion: """
      Asks the daemon over its Unix socket. Exit status: 0 it answered, 69 it is not running or doesn't \
      answer.
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Flag(help: "Print the report as JSON, as GET /status does.")
  var json = false

  func run() async throws {
    try await reportingFailure {
      let report = try StatusClient(socket: try configuration.load().status.socket).report()
      StandardOutput.write(
        json ? report.json : StatusText.text(report, now: Date().timeIntervalSince1970))
    }
  }
}
