import BoxSimulator
import EventDaemon
import FoundationEssentials
import Glibc

/// The demo's directory: configuration, secret, spool, state and log.
struct DemoEnvironment {
  let root: String

  var configuration: String { "\(root)/box-eventd.toml" }
  var socket: String { "\(root)/status.sock" }
  var spool: String { "\(root)/spool/demo" }
  var log: String { "\(root)/daemon.log" }

  init() throws {
    var template = Array("/tmp/box-eventd-demo.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw DaemonFailure(
        .io, "can't make a directory in /tmp: \(String(cString: strerror(errno)))",
        hint: "Free some space there, or let this user write to it.")
    }
    root = String(cString: made)
  }

  func configure(_ simulator: BoxSimulator) throws {
    try write("\(root)/client-secret", simulator.options.credentials.clientSecret + "\n", mode: 0o600)
    let text = """
      # The demo's configuration; the real one is /etc/box-eventd/box-eventd.toml.
      [box]
      api_url = "\(simulator.apiURL)"
      token_url = "\(simulator.tokenURL)"

      [auth]
      method = "client-credentials"
      client_id = "\(simulator.options.credentials.clientID)"
      subject = "user:\(simulator.options.credentials.users.first ?? "")"
      client_secret_file = "\(root)/client-secret"

      [spool]
      directory = "\(root)/spool"
      segment_size = "1MiB"

      [state]
      directory = "\(root)/state"

      [status]
      socket = "\(socket)"

      [[stream]]
      name = "demo"
      start = "oldest"

      """
    try write(configuration, text, mode: 0o644)
  }

  /// The spool's lines, segment after segment.
  var spooledLines: [[UInt8]] { segments.flatMap(lines) }

  /// How many complete lines there are.
  var spooledCount: Int { segments.reduce(0) { $0 + read($1).count { $0 == UInt8(ascii: "\n") } } }

  /// The last lines of the newest segment.
  func lastLines(_ count: Int) -> [[UInt8]] { segments.last.map { lines($0).suffix(count) } ?? [] }

  private var segments: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: spool)) ?? []
    return names.filter { $0.hasPrefix("events-") }.sorted()
  }

  private func write(_ path: String, _ text: String, mode: mode_t) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw DaemonFailure(
        .io, "can't write \(path): \(String(cString: strerror(errno)))", hint: "Free some space there.")
    }
  }

  private func lines(_ segment: String) -> [[UInt8]] {
    read(segment).split(separator: UInt8(ascii: "\n")).map(Array.init)
  }

  private func read(_ segment: String) -> [UInt8] {
    FileManager.default.contents(atPath: "\(spool)/\(segment)").map { Array($0) } ?? []
  }
}

/// The daemon of the demo: this very program, as a process of its own.
struct DemoDaemon {
  let processID: pid_t

  /// Starts `box-eventd run`; its log goes to the demo's directory.
  init(_ environment: DemoEnvironment) throws {
    let arguments = ["box-eventd", "run", "--config", environment.configuration]
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, environment.log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
    // A group of its own, so that Ctrl-C reaches the demo alone; and no signal blocked.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    // Empty: everything the daemon needs is in its configuration.
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    var child = pid_t()
    let result = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, &pointers, &environment)
    guard result == 0 else {
      throw DaemonFailure(
        .software, "can't start the daemon: \(String(cString: strerror(result)))",
        hint: "The demo starts its own program again, through /proc/self/exe; check that /proc is mounted.")
    }
    processID = child
  }

  /// Ends it without warning, as a crash does.
  func kill() { end(with: SIGKILL) }
  /// Ends it as systemd does.
  func terminate() { end(with: SIGTERM) }

  private func end(with signal: Int32) {
    guard Glibc.kill(processID, signal) == 0 else { return }
    var status: Int32 = 0
    waitpid(processID, &status, 0)
  }
}
