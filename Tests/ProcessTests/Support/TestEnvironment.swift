import BoxSimulator
import FoundationEssentials
import Glibc
import Testing

/// A directory of a test's own with configuration, secret, spool, state and log, and the processes
/// that work in it.
final class TestEnvironment {
  /// What a command left behind.
  struct Outcome {
    var exit: ChildProcess.Exit
    var output: String
    var errors: String
  }

  let simulator: BoxSimulator
  let root: String
  /// Written to the file by ``configure()``.
  var settings: Settings
  private var children: [ChildProcess] = []
  private var commands = 0

  var configuration: String { "\(root)/box-eventd.toml" }
  /// The log of all runs of the daemon.
  var log: String { String(decoding: readFile("\(root)/log"), as: UTF8.self) }

  fileprivate init(_ simulator: BoxSimulator) throws {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/box-eventd-test.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw ChildProcess.Failure(call: "mkdtemp", errno: errno) }
    self.simulator = simulator
    root = String(cString: made)
    settings = Settings(simulator, root: root)
    writeFile("\(root)/client-secret", Array(simulator.options.credentials.clientSecret.utf8))
    configure()
  }

  fileprivate func remove() {
    // All of them before one is waited for: a traced process ends with its tracer.
    for child in children { child.signal(SIGKILL) }
    children = []
    try? FileManager.default.removeItem(atPath: root)
  }

  /// Writes the configuration.
  func configure() {
    writeFile(configuration, Array(settings.text.utf8), mode: 0o644)
  }

  /// Starts the daemon; it is killed with the fixture at the latest.
  /// - Parameters:
  ///   - program: the daemon's, or that of a test build.
  ///   - tracer: what to start it under, for example `strace`.
  func start(
    _ program: String = Executable.path, environment: [String: String] = [:], under tracer: [String] = []
  ) throws -> ChildProcess {
    try spawn(
      tracer + [program, "run", "--config", configuration], environment: environment,
      output: "\(root)/output", errors: "\(root)/log")
  }

  /// Starts the test build of the daemon, which ends as soon as every stream requires operator action: the daemon
  /// itself tries again for an hour.
  func startEndingWhenBlocked() throws -> ChildProcess {
    try start(Executable.stopping, environment: ["END_WHEN_BLOCKED": "1"])
  }

  /// Starts a command of the program, or another program if the first argument is a path.
  func begin(_ arguments: [String], hasInput: Bool = false) throws -> (ChildProcess, name: String) {
    commands += 1
    let name = "\(root)/command-\(commands)"
    let program = arguments.first?.hasPrefix("/") == true ? arguments : [Executable.path] + arguments
    let child = try spawn(program, output: name + ".out", errors: name + ".err", hasInput: hasInput)
    return (child, name)
  }

  /// Runs a command of the program to its end.
  func run(_ arguments: String...) async throws -> Outcome {
    let (child, name) = try begin(arguments)
    return try await outcome(of: child, name)
  }

  func outcome(of child: ChildProcess, _ name: String) async throws -> Outcome {
    let exit = try await child.ended()
    return Outcome(
      exit: exit, output: String(decoding: readFile(name + ".out"), as: UTF8.self),
      errors: String(decoding: readFile(name + ".err"), as: UTF8.self))
  }

  /// Starts any program in this fixture.
  func spawn(
    _ arguments: [String], environment: [String: String] = [:], output: String, errors: String,
    hasInput: Bool = false
  ) throws -> ChildProcess {
    children.removeAll { !$0.isRunning }
    let variables = ["PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"].merging(environment) { $1 }
    let child = try ChildProcess(
      arguments, environment: variables, output: output, errors: errors, hasInput: hasInput)
    children.append(child)
    return child
  }

  /// The output of `status --json`.
  func status() async throws -> StatusReport {
    let outcome = try await run("status", "--json", "--config", configuration)
    return try JSONDecoder().decode(StatusReport.self, from: Data(outcome.output.utf8))
  }

  /// Waits until the log holds a text.
  func logged(_ text: String, within limit: Duration = .seconds(300)) async throws {
    try await eventually("“\(text)” in the log:\n\(log.suffix(3000))", within: limit) {
      readFile("\(root)/log").contains(text)
    }
  }
}

/// The parts of the report that tests look at.
struct StatusReport: Decodable {
  struct Stream: Decodable {
    var name: String
    var state: String
    var error: String?
    var gaps: UInt64?

    enum CodingKeys: String, CodingKey {
      case name, state, error
      case gaps = "gaps_total"
    }
  }

  var state: String
  var streams: [Stream]
}

/// Runs a test with a simulated Box and a fixture; both are gone afterwards.
func withTestEnvironment<Value>(
  _ options: SimulatorOptions = SimulatorOptions(), _ body: (TestEnvironment) async throws -> Value
) async throws -> Value {
  try await Turns.processes.take {
    try await BoxSimulator.run(options) { simulator in try await inEnvironment(simulator, body) }
  }
}

private func inEnvironment<Value>(
  _ simulator: BoxSimulator, _ body: (TestEnvironment) async throws -> Value
) async throws -> Value {
  let fixture = try TestEnvironment(simulator)
  defer { fixture.remove() }
  // A wait for what never comes ends with the simulator.
  let limit = Task {
    try await Task.sleep(for: .seconds(1200))
    Issue.record("the test has not ended within 20 minutes")
    try await simulator.stop()
  }
  defer { limit.cancel() }
  do {
    return try await body(fixture)
  } catch {
    // What the daemon was doing can't be learned otherwise: its log is removed with the fixture.
    print("\(error)\nthe end of the daemon's log:\n\(fixture.log.suffix(4000))")
    throw error
  }
}
