import EventDaemon
import Glibc

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
  func kill() {
    end(with: SIGKILL)
  }

  /// Ends it as systemd does.
  func terminate() {
    end(with: SIGTERM)
  }

  private func end(with signal: Int32) {
    guard Glibc.kill(processID, signal) == 0 else { return }
    var status: Int32 = 0
    waitpid(processID, &status, 0)
  }
}
