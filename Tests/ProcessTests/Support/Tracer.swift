import Glibc
import Testing

/// `strace`, which makes system calls fail or last: a disk that breaks on request.
enum Tracer {
  /// Whether this machine has it and allows it.
  static let isAvailable: Bool = {
    let arguments = ["/usr/bin/strace", "-qq", "-o", "/dev/null", "/bin/true"]
    guard let child = try? ChildProcess(arguments, output: "/dev/null", errors: "/dev/null") else {
      return false
    }
    while child.isRunning { usleep(1000) }
    return child.exit == .code(0)
  }()

  /// Starts a program under it. `-D` keeps the program this test's child, so that its id is the one
  /// that systemd would know.
  static func command(_ injection: String) -> [String] {
    ["/usr/bin/strace", "-D", "-f", "-qq", "-o", "/dev/null"] + options(injection)
  }

  /// Takes hold of a running process and returns when it has.
  static func attach(to child: ChildProcess, _ injection: String, in fixture: TestEnvironment) async throws
    -> ChildProcess
  {
    let tracer = try fixture.spawn(
      ["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null"] + options(injection) + [
        "-p", "\(child.processID)",
      ],
      output: "\(fixture.root)/strace", errors: "\(fixture.root)/strace")
    try await eventually("strace to take hold of process \(child.processID)") {
      let tasks = directoryNames("/proc/\(child.processID)/task")
      return !tasks.isEmpty
        && tasks.allSatisfy { task in
          readFile("/proc/\(child.processID)/task/\(task)/status").contains(
            "TracerPid:\t\(tracer.processID)\n")
        }
    }
    return tracer
  }

  /// Whether one thread of the process is stopped in a system call, and still is a moment later.
  static func isHolding(_ child: ChildProcess) async throws -> Bool {
    let held = stoppedTasks(child)
    try await Task.sleep(for: .milliseconds(300))
    return !held.isDisjoint(with: stoppedTasks(child))
  }

  private static func stoppedTasks(_ child: ChildProcess) -> Set<String> {
    Set(
      directoryNames("/proc/\(child.processID)/task").filter { task in
        readFile("/proc/\(child.processID)/task/\(task)/status").contains("State:\tt (tracing stop)")
      })
  }

  private static func options(_ injection: String) -> [String] {
    let call = injection.prefix { $0 != ":" }
    return ["-e", "trace=\(call)", "-e", "inject=\(injection)"]
  }
}
