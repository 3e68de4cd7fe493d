import ArgumentParser
import EventDaemon
import FoundationEssentials

/// The command `box-eventd`: one subcommand a file; what a command does is in `EventDaemon/Commands`.
@main
struct BoxEventd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "box-eventd",
    abstract: "Keeps a Box account's event stream flowing into files.",
    discussion: """
      box-eventd long-polls Box, appends every event to a spool directory as a line of JSON, and saves its \
      position in the stream. Nothing is lost, nothing comes twice, and it is never silently stuck.

      Write /etc/box-eventd/box-eventd.toml, try it with `box-eventd check --online`, and start the service \
      with `systemctl enable --now box-eventd`.
      """,
    version: Version.current,
    subcommands: [
      RunCommand.self, CheckCommand.self, StatusCommand.self, TailCommand.self, VerifyCommand.self,
      PositionCommand.self, LoginCommand.self, DemoCommand.self, SimulateCommand.self,
    ])

  static func main() async {
    StandardOutput.reserveDescriptors()
    await main(nil)
  }
}

/// `--config FILE`, which every command takes.
struct ConfigurationOption: ParsableArguments {
  @Option(
    name: .customLong("config"),
    help: ArgumentHelp("The configuration; also reads FILE.d/*.toml.", valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var path = "/etc/box-eventd/box-eventd.toml"

  var environment: [String: String] { ProcessInfo.processInfo.environment }

  func load() throws -> Configuration { try Configuration.load(path, environment: environment) }
}

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the daemon; the systemd unit starts this command.",
    discussion: """
      Reads every configured stream until SIGTERM or SIGINT; SIGHUP reloads the configuration. Logs \
      go to the journal under systemd, to stderr elsewhere.

      Exit status: 0 stopped on request, 65 every stream is blocked by its data, 70 an unexpected error, \
      74 a disk failed, 75 already running, 77 signing in requires operator action, 78 the configuration is \
      not valid.
      """)

  @OptionGroup var configuration: ConfigurationOption

  func run() async throws {
    try await reportingFailure {
      try await Daemon(configurationPath: configuration.path, environment: configuration.environment).run()
    }
  }
}

/// Runs a command's work; turns its failure into two lines on stderr, what happened and what to do, and a status.
func reportingFailure(_ work: () async throws -> Void) async throws {
  do {
    try await work()
  } catch let exit as ExitCode {
    throw exit
  } catch let error as ConfigurationError {
    for problem in error.problems { StandardOutput.report(problem) }
    throw ExitCode(EventDaemon.ExitStatus.configuration.rawValue)
  } catch {
    let failure = DaemonFailure(error)
    StandardOutput.report(failure)
    throw ExitCode(failure.exit.rawValue)
  }
}
