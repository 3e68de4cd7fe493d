import ArgumentParser
import BoxEvents
import BoxSimulator
import EventDaemon
import FoundationEssentials
import Glibc
import Synchronization

/// The command `box-eventd`; what its subcommands do is in `EventDaemon/Commands`.
@main
struct BoxEventd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "box-eventd", abstract: "Keeps a Box account's event stream flowing into files.",
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

  /// Runs the command. Its failure becomes two lines on stderr, what happened and what to do, and an exit status.
  static func main() async {
    if CommandLine.arguments.isEmpty { endWithoutArguments() }
    let isDaemon = CommandLine.arguments.dropFirst().first == "run"
    if isDaemon { DaemonSignals.hold() }
    // As in the unit. One that takes the owner's bits would keep the daemon out of directories that it has made.
    umask(0o027)
    StandardOutput.reserveDescriptors()
    if isDaemon { endWithoutThreads() }
    do {
      var parsed = try await asyncParseAsRoot()
      guard var command = parsed as? any AsyncParsableCommand else { return try parsed.run() }
      do {
        try await command.run()
        try StandardOutput.check()
      } catch let error where !(error is ExitCode || error is CleanExit) {
        let ofSimulator = (error as? SimulatorError).map {
          DaemonFailure(.unavailable, $0.message, hint: $0.hint)
        }
        var failure = ofSimulator ?? DaemonFailure(error)
        if let path = (command as? any ConfiguredCommand)?.configuration.path {
          failure = CommandText(configurationPath: path).complete(failure)
        }
        let problems: [any ExplainedError] = failure.problems.isEmpty ? [failure] : failure.problems
        if !failure.isLogged { for problem in problems { StandardOutput.report(problem) } }
        throw ExitCode(failure.exit.rawValue)
      }
    } catch {
      guard exitCode(for: error) == .success else { end(with: error) }
      succeed(printing: fullMessage(for: error))
    }
  }

  /// A mistake in the command line becomes two lines too: what it is, and how the command is used.
  private static func end(with error: any Error) -> Never {
    let lines = fullMessage(for: error).split(separator: "\n")
    if let first = lines.first, first.hasPrefix("Error: ") {
      let mistake = first.dropFirst("Error: ".count)
      let usage = lines.drop { !$0.hasPrefix("Usage: ") }.prefix { !$0.hasPrefix("  See ") }
        .map { $0.drop { $0 == " " } }.joined(separator: " ")
      StandardOutput.report(
        DaemonFailure(.usage, mistake.prefix(1).lowercased() + mistake.dropFirst(), hint: usage))
    }
    exit(withError: exitCode(for: error))
  }

  /// Before anything is awaited: then the runtime starts threads, and hangs or traps where it can't.
  private static func endWithoutThreads() {
    do {
      try ThreadLimit.check()
    } catch {
      StandardOutput.report(error)
      exit(withError: ExitCode(error.exit.rawValue))
    }
  }

  /// The runtime reads the arguments from /proc. Without them every command would print the help and succeed.
  private static func endWithoutArguments() -> Never {
    StandardOutput.report(
      DaemonFailure(
        .unavailable, "cannot read the arguments of the command", hint: "Mount the file system /proc."))
    exit(withError: ExitCode(ExitStatus.unavailable.rawValue))
  }

  /// Ends with the text of `--help` or `--version`, written as any other output is.
  private static func succeed(printing text: String) -> Never {
    if !text.isEmpty { StandardOutput.print(text) }
    do {
      try StandardOutput.check()
    } catch let failure as DaemonFailure {
      StandardOutput.report(failure)
      exit(withError: ExitCode(failure.exit.rawValue))
    } catch {
      exit(withError: error)
    }
    exit()
  }
}

/// A command that takes `--config`; its hints name it too.
protocol ConfiguredCommand: AsyncParsableCommand {
  var configuration: ConfigurationOption { get }
}

/// `--config FILE`, which every command takes but `demo` and `simulate`.
struct ConfigurationOption: ParsableArguments {
  @Option(
    name: .customLong("config"),
    help: .init("The configuration; also reads FILE.d/*.toml.", valueName: "file"),
    completion: .file(extensions: ["toml"]))
  var path = Configuration.defaultPath

  var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The systemd unit that runs with it, for hints.
  var unit: String { Configuration.unit(of: path) }

  func load() throws -> Configuration { try Configuration.load(path, environment: environment) }

  /// What can be read of it, with a warning where that isn't all.
  func loadReadable() -> (configuration: Configuration, isComplete: Bool) {
    let (configuration, error) = Configuration.readable(path, environment: environment)
    if let error { StandardOutput.warn("\(DaemonFailure(error).message); going on with what can be read") }
    return (configuration, error == nil)
  }

  /// Whether a file of it can't be read by this user.
  var isDenied: Bool {
    [path, path + ".d"].contains { (file: String) in access(file, R_OK) != 0 && errno == EACCES }
  }

  /// The tools for its streams, as far as it can be read.
  func readingTools() -> StreamTools {
    let (configuration, isComplete) = loadReadable()
    return StreamTools(configuration, unit: unit, isComplete: isComplete)
  }
}

struct RunCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the daemon; the systemd unit starts this command.",
    discussion: """
      Reads every configured stream until SIGTERM or SIGINT; SIGHUP reloads the configuration. Logs \
      go to the journal under systemd, to stderr elsewhere.

      Exit status: 0 stopped on request, 64 a wrong option, 65 every stream was blocked for an hour, 69 too few \
      threads, 70 an unexpected error, 74 a disk failed, 75 already running, 77 the same as 65 and at least one \
      needs a sign-in, 78 the configuration is not valid.
      """)

  @OptionGroup var configuration: ConfigurationOption

  func run() async throws {
    try await Daemon(configurationPath: configuration.path, environment: configuration.environment).run()
  }
}

struct StatusCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what the running daemon is doing.",
    discussion: """
      Asks the daemon over its Unix socket. Exit status: 0 it answered, 69 it is not running or doesn't \
      answer.
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Option(
    help: .init("The daemon's socket, instead of the configured one.", valueName: "path"),
    completion: .file())
  var socket: String?

  @Flag(help: "Print the report as JSON, as GET /status does.") var json = false

  func run() async throws {
    var isKnown = true
    var daemon: pid_t?
    var socket = self.socket ?? ""
    if self.socket == nil {
      let (readable, isComplete) = configuration.loadReadable()
      (socket, isKnown) = (readable.status.socket, isComplete)
      daemon = readable.runningDaemon
    }
    let report: StatusReport
    do throws(StatusFailure) {
      report = try StatusClient(socket: socket, unit: configuration.unit).report()
    } catch {
      guard error.code == .notRunning else { throw error }
      if let daemon, isKnown { throw StatusFailure(of: daemon, socket: socket, unit: configuration.unit) }
      guard !isKnown else { throw error }
      throw DaemonFailure(
        .unavailable,
        "no listener on \(socket); the daemon may have another socket: the configuration can't be read",
        hint: configuration.isDenied
          ? "Use sudo, or name the socket: box-eventd status --socket PATH."
          : "Correct the configuration, or name the socket: box-eventd status --socket PATH.")
    }
    StandardOutput.write(json ? report.json : StatusText.text(report, now: Date().timeIntervalSince1970))
  }
}

/// Text to stdout and stderr, without a buffer.
enum StandardOutput {
  /// Keeps other files from becoming stdin, stdout or stderr: where one of the three was closed at the start, the next
  /// file that is opened would take its number, and receive what is written to it. Writing to a stdout that was closed
  /// still fails.
  static func reserveDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number, which is this one.
      _ = open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR)
    }
  }

  static func print(_ text: String) { write(text + "\n") }
  static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

  /// An error in two lines on stderr: what happened, and what to do.
  static func report(_ error: some ExplainedError) {
    let prefix = DaemonFailure.linePrefix
    let lines = ["box-eventd: \(error.message)", error.hint.map { "  \($0)" }].compactMap(\.self)
    write(lines.map { "\(prefix)\($0)\n" }.joined(), to: STDERR_FILENO)
  }

  static func warn(_ text: String) { write("box-eventd: warning: \(text)\n", to: STDERR_FILENO) }

  /// The error number of the first write to stdout that failed; 0 as long as none has. What follows is dropped.
  private static let failure = Atomic<Int32>(0)

  /// Called where a command ends, and where one that goes on has printed.
  /// - Throws: `DaemonFailure` if something could not be written; `ExitCode.success` if its reader has gone, as `head`
  ///   goes.
  static func check() throws {
    switch failure.load(ordering: .relaxed) {
    case 0: return
    case EPIPE: throw ExitCode.success
    case let code:
      throw DaemonFailure(
        .io, "cannot write the output: \(strerror(code).map { String(cString: $0) } ?? "error \(code)")",
        hint: code == EBADF ? "Its standard output is closed." : "Send it where there is free space.",
        errno: code)
    }
  }

  /// Called while a command waits for something to print, since only a write would find out.
  /// - Throws: `ExitCode.success` if the reader has gone and SIGPIPE, which a write would send, is ignored.
  static func checkReader() throws {
    var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    guard poll(&output, 1, 0) > 0, output.revents & Int16(POLLERR | POLLHUP) != 0 else { return }
    raise(SIGPIPE)
    throw ExitCode.success
  }

  /// - Parameter limit: milliseconds; -1 for ever.
  private static func canWrite(_ descriptor: Int32, within limit: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&waiting, 1, limit) != 0
  }

  private static func write(_ text: String, to descriptor: Int32) {
    guard descriptor != STDOUT_FILENO || failure.load(ordering: .relaxed) == 0 else { return }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      // A full pipe that is not read must not keep the process from ending.
      guard descriptor != STDERR_FILENO || canWrite(descriptor, within: 1000) else { return }
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      let code = written < 0 ? errno : 0
      switch code {
      case 0: rest = rest.dropFirst(written)
      case EINTR: continue
      case EAGAIN:
        // Another program has made the terminal or pipe non-blocking.
        _ = canWrite(descriptor, within: -1)
      default:
        if descriptor == STDOUT_FILENO { failure.store(code, ordering: .relaxed) }
        return
      }
    }
  }
}
