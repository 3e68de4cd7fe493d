import ArgumentParser
import EventDaemon
import FoundationEssentials

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the daemon; this is what the systemd unit starts.",
    discussion: """
      Reads every configured stream until SIGTERM or SIGINT; SIGHUP reloads the configuration. Logs \
      go to the journal under systemd, to stderr elsewhere.

      Exit status: 0 stopped on request, 65 a stream's data needs a person, 74 a disk failed, 75 already \
      running, 77 signing in needs a person, 78 the configuration is wrong.
      """)

  @OptionGroup var configuration: ConfigurationOption

  func run() async throws {
    try await reportingFailure {
      try await Daemon(
        configurationPath: configuration.path, environment: ProcessInfo.processInfo.environment
      ).run()
    }
  }
}
