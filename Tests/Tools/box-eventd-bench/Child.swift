import Glibc

/// A contender at work, as a process of its own.
final class Child {
  struct Usage {
    /// User and system time of the run, start and end included.
    var cpuMicroseconds: Double
    var peakMebibytes: Double
  }

  let processID: pid_t
  private let log: String
  private var hasEnded = false

  init(_ path: String, _ arguments: [String], log: String) throws {
    self.log = log
    var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    // No signal blocked, whatever this process does with its own.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    var child = pid_t()
    let result = posix_spawn(&child, path, &actions, &attributes, &pointers, &environment)
    guard result == 0 else {
      throw BenchmarkError("can't start \(path): \(String(cString: strerror(result)))")
    }
    processID = child
  }

  deinit {
    guard !hasEnded else { return }
    kill(processID, SIGKILL)
    waitpid(processID, nil, 0)
  }

  /// A line of /proc/PID/status in MiB, for example `VmRSS`.
  ///
  /// Not `ru_maxrss`: that begins with what the parent had when it started the child (getrusage(2)).
  func mebibytes(_ field: String) throws -> Double {
    let text = String(decoding: Files.contents("/proc/\(processID)/status"), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("\(field):") }
    guard let kibibytes = line?.split(separator: " ").dropLast().last.flatMap({ Double($0) }) else {
      throw BenchmarkError(
        "the process has ended: \(String(decoding: Files.contents(log).suffix(2000), as: UTF8.self))")
    }
    return kibibytes / 1024
  }

  /// Waits until it has ended well by itself.
  func finish() throws {
    var status: Int32 = 0
    guard waitpid(processID, &status, 0) == processID else { throw BenchmarkError("waitpid failed") }
    hasEnded = true
    guard status == 0 else {
      throw BenchmarkError("failed: \(String(decoding: Files.contents(log).suffix(2000), as: UTF8.self))")
    }
  }

  /// Ends it as systemd would, and returns what it has used.
  func end() throws -> Usage {
    let peak = try mebibytes("VmHWM")
    kill(processID, SIGTERM)
    // A rusage, whose fields the static standard library's modules hide. The first four: seconds and
    // microseconds of user time, then of system time.
    var usage = [Int](repeating: 0, count: MemoryLayout<rusage>.size / MemoryLayout<Int>.size)
    let ended = usage.withUnsafeMutableBytes { bytes in
      wait4(processID, nil, 0, bytes.assumingMemoryBound(to: rusage.self).baseAddress)
    }
    guard ended == processID else { throw BenchmarkError("wait4 failed") }
    hasEnded = true
    return Usage(
      cpuMicroseconds: Double(usage[0] + usage[2]) * 1e6 + Double(usage[1] + usage[3]), peakMebibytes: peak)
  }
}
