import Glibc

/// What systemd starts a unit with, as far as `box-eventd check` compares it: systemctl(1), "show".
package struct UnitSettings: Hashable, Sendable {
  private static let names = [
    "LoadState", "User", "MainPID", "ProtectSystem", "ReadWritePaths", "StateDirectory",
  ]
  private let values: [String: String]

  /// The answer of systemctl; nil where no such unit is loaded.
  init?(parsing text: String) {
    let lines = text.split(separator: "\n").map {
      $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    }
    values = Dictionary(lines.compactMap { $0.count == 2 ? ($0[0], $0[1]) : nil }) { $1 }
    guard values["LoadState"] == "loaded" else { return nil }
  }

  /// Of the unit that a configuration file belongs to; nil where there is none, or systemd doesn't answer.
  init?(ofConfiguration path: String) {
    guard path.hasPrefix("/etc/box-eventd/"), access("/run/systemd/system", F_OK) == 0 else { return nil }
    let arguments = [
      "systemctl", "show", "-p", Self.names.joined(separator: ","),
      "\(Configuration.unit(of: path)).service",
    ]
    guard let text = Self.output(of: arguments, within: 3_000) else { return nil }
    self.init(parsing: text)
  }

  /// The user it runs as; nil where the unit names none.
  var user: String? { values["User"].flatMap { $0.isEmpty ? nil : $0 } }
  /// The running daemon; 0 where none runs.
  var mainPID: pid_t { values["MainPID"].flatMap { pid_t($0) } ?? 0 }

  /// Whether the sandbox lets the unit write to a directory: systemd.exec(5), "ProtectSystem=".
  func canWrite(to path: String) -> Bool {
    guard values["ProtectSystem"] == "strict" else { return true }
    let open =
      words("ReadWritePaths").map { String($0.drop { "-+".contains($0) }) }
      + words("StateDirectory").map { "/var/lib/\($0.prefix { $0 != ":" })" } + ["/dev", "/proc", "/sys"]
    let real = Self.resolved(path)
    return open.map(Self.resolved).contains { $0 == "/" || real == $0 || real.hasPrefix($0 + "/") }
  }

  private func words(_ name: String) -> [Substring] { values[name]?.split(separator: " ") ?? [] }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// What a program prints; nil if it fails, or takes longer than so many milliseconds.
  static func output(of arguments: [String], within limit: Int32) -> String? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    defer { close(ends[0]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    var child = pid_t()
    let result = posix_spawnp(&child, arguments.first ?? "", &actions, nil, &pointers, &environment)
    close(ends[1])
    guard result == 0 else { return nil }
    var bytes: [UInt8] = []
    var isComplete = false
    var chunk = [UInt8](repeating: 0, count: 4096)
    var poll = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
    while bytes.count < 1 << 16, Glibc.poll(&poll, 1, limit) > 0 {
      let count = read(ends[0], &chunk, chunk.count)
      isComplete = count == 0
      guard count > 0 else { break }
      bytes += chunk.prefix(count)
    }
    if !isComplete { kill(child, SIGKILL) }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    return isComplete && status == 0 ? String(decoding: bytes, as: UTF8.self) : nil
  }
}
