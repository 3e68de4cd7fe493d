import Glibc
import TestSystem

/// A contender or the responder at work, as a process of its own. It gets no descriptor but its output.
final class Child {
  let processID: pid_t
  private let log: String
  private var hasEnded = false

  /// - Parameter log: what stdout and stderr are appended to.
  init(_ path: String, _ arguments: [String], environment: [String: String] = [:], log: String) throws {
    self.log = log
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    // Those of this process are closed by exec; others may come from whatever started it.
    for descriptor in Files.names("/proc/self/fd").compactMap(Int32.init) where descriptor > STDERR_FILENO {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    processID = try Self.spawn(path, arguments, environment, &actions)
  }

  private static func spawn(
    _ path: String, _ arguments: [String], _ environment: [String: String],
    _ actions: inout posix_spawn_file_actions_t
  ) throws -> pid_t {
    // No signal blocked or ignored, whatever this process or its shell does with its own.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in pointers + variables { free(pointer) } }
    var child = pid_t()
    let result = posix_spawn(&child, path, &actions, &attributes, &pointers, &variables)
    guard result == 0 else {
      throw BenchmarkError("can't start \(path): \(String(cString: strerror(result)))")
    }
    return child
  }

  deinit {
    guard !hasEnded else { return }
    kill(processID, SIGKILL)
    waitpid(processID, nil, 0)
  }

  /// Its last words.
  var lastLines: String { String(decoding: Files.contents(log).suffix(2000), as: UTF8.self) }

  func signal(_ number: Int32) { kill(processID, number) }

  /// Throws if it has ended.
  func requireRunning() throws {
    guard waitpid(processID, nil, WNOHANG) == 0 else {
      hasEnded = true
      throw BenchmarkError("process \(processID) has ended: \(lastLines)")
    }
  }

  var hasEndedByItself: Bool {
    if !hasEnded { hasEnded = waitpid(processID, nil, WNOHANG) == processID }
    return hasEnded
  }

  /// Waits until it has ended by itself, with status 0.
  func finish() throws {
    var status: Int32 = 0
    guard waitpid(processID, &status, 0) == processID else { throw BenchmarkError("waitpid failed") }
    hasEnded = true
    guard status == 0 else { throw BenchmarkError("process \(processID) has failed: \(lastLines)") }
  }

  /// Ends it as systemd would.
  func end() {
    guard !hasEnded else { return }
    kill(processID, SIGTERM)
    waitpid(processID, nil, 0)
    hasEnded = true
  }
}

extension Child {
  /// User and system time of all its threads, also those that have ended.
  func cpuMicroseconds() throws -> Double {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(processID, &clock) == 0, clock_gettime(clock, &time) == 0 else {
      throw BenchmarkError("process \(processID) has ended: \(lastLines)")
    }
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
  }

  /// A line of /proc/PID/status in MiB, for example `VmRSS`.
  ///
  /// Not `ru_maxrss`: that begins with what the parent had when it started the child (getrusage(2)).
  func mebibytes(_ field: String) throws -> Double { try Double(statusField(field)) / 1024 }

  func threads() throws -> Int { try statusField("Threads") }

  var descriptors: Int { Files.names("/proc/\(processID)/fd").count }

  /// How often its threads were given a core: by thread, because the count of one that ends is lost.
  func switches() -> [String: Int] {
    var counts: [String: Int] = [:]
    for thread in Files.names("/proc/\(processID)/task") {
      let lines = Files.text("/proc/\(processID)/task/\(thread)/status").split(separator: "\n")
      let numbers = lines.filter { $0.contains("voluntary_ctxt_switches:") }.map {
        $0.split(separator: "\t").last
      }
      counts[thread] = numbers.compactMap { $0.flatMap { Int($0) } }.reduce(0, +)
    }
    return counts
  }

  private func statusField(_ name: String) throws -> Int {
    let line = Files.text("/proc/\(processID)/status").split(separator: "\n").first {
      $0.hasPrefix("\(name):")
    }
    let words = line?.split { $0 == " " || $0 == "\t" } ?? []
    guard words.count > 1, let number = Int(words[1]) else {
      throw BenchmarkError("process \(processID) has ended: \(lastLines)")
    }
    return number
  }
}
