import Glibc
import Synchronization

/// A program of this test, started by path and ended by its id.
///
/// Its output goes to files: it never blocks on a pipe, and nothing is lost when it is killed. Its environment is the
/// one given, nothing else.
final class ChildProcess: Sendable {
  /// How a process ended.
  enum Exit: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)
  }

  struct Failure: Error {
    var call: String
    var errno: Int32
  }

  let processID: pid_t
  private let ending = Mutex<Exit?>(nil)
  private let input: Int32?

  /// - Parameters:
  ///   - arguments: the program's path first.
  ///   - output: files that stdout and stderr are appended to.
  ///   - hasInput: whether something will be written with ``type(_:)``; else it reads nothing.
  init(
    _ arguments: [String], environment: [String: String] = [:], output: String, errors: String,
    hasInput: Bool = false
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var ends: [Int32] = [-1, -1]
    if hasInput {
      guard pipe(&ends) == 0 else { throw Failure(call: "pipe", errno: errno) }
      posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
    } else {
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, flags, 0o600)
    // What this test has open itself, and the sockets of its simulators, are not the program's.
    // More than are open now: a connection that is accepted meanwhile would stay open in the child, and its end be
    // hidden from the peer. Closing what isn't open is no error.
    let highest = directoryNames("/proc/self/fd").compactMap(Int32.init).max() ?? 2
    for descriptor in 3...highest + 256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    processID = try Self.spawn(arguments, environment, &actions)
    input = hasInput ? ends[1] : nil
    if hasInput { close(ends[0]) }
  }

  private static func spawn(
    _ arguments: [String], _ environment: [String: String], _ actions: inout posix_spawn_file_actions_t
  ) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    // A shell starts what runs in the background, such as these tests, with some of them ignored.
    var ending = sigset_t()
    sigemptyset(&ending)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&ending, number) }
    posix_spawnattr_setsigdefault(&attributes, &ending)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in pointers + variables { free(pointer) } }
    var child = pid_t()
    let result = posix_spawnp(&child, arguments[0], &actions, &attributes, &pointers, &variables)
    guard result == 0 else { throw Failure(call: "posix_spawn \(arguments[0])", errno: result) }
    return child
  }

  deinit {
    if let input { close(input) }
    guard isRunning else { return }
    kill(processID, SIGKILL)
    var status: Int32 = 0
    waitpid(processID, &status, 0)
  }

  /// Whether it has not ended yet.
  var isRunning: Bool { exit == nil }

  /// How it ended; nil while it runs.
  var exit: Exit? {
    ending.withLock { ending in
      if ending == nil {
        var status: Int32 = 0
        if waitpid(processID, &status, WNOHANG) == processID {
          let signal = status & 0x7f
          ending = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
        }
      }
      return ending
    }
  }

  func signal(_ signal: Int32) {
    if isRunning { kill(processID, signal) }
  }

  /// Waits for its end.
  func ended(within limit: Duration = .seconds(120)) async throws -> Exit {
    try await eventually("the end of process \(processID)", within: limit) { exit != nil }
    return exit ?? .code(-1)
  }

  /// Ends it with SIGKILL, and waits.
  func killed() async throws {
    signal(SIGKILL)
    _ = try await ended()
  }

  /// Ends it with SIGTERM, as systemd does, and waits.
  func terminated() async throws -> Exit {
    signal(SIGTERM)
    return try await ended()
  }

  /// Writes a line to its input.
  func type(_ line: String) {
    guard let input else { return }
    let bytes = Array((line + "\n").utf8)
    write(input, bytes, bytes.count)
  }

  /// A line of `/proc/…/status`, for example `VmRSS`.
  func statusField(_ name: String) -> String? {
    let text = String(decoding: readFile("/proc/\(processID)/status"), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line.map { $0.dropFirst(name.count + 1).drop { $0 == " " || $0 == "\t" } }.map(String.init)
  }

  /// Open descriptors.
  var descriptorCount: Int { directoryNames("/proc/\(processID)/fd").count }
}
