import Glibc

/// Counts a process's system calls by kind, with `strace` attached to it.
struct SystemCalls {
  private static let program = "/usr/bin/strace"

  static var isInstalled: Bool { access(program, X_OK) == 0 }

  private let tracer: Child
  private let output: String

  /// Counts from now on.
  init(of child: Child, _ environment: BenchEnvironment) throws {
    output = "\(environment.root)/calls"
    let log = "\(environment.root)/strace"
    let tracer = try Child(Self.program, ["-f", "-c", "-o", output, "-p", "\(child.processID)"], log: log)
    // It reports each thread that it has attached to, and at once those that begin later.
    try until("strace", running: tracer) { Files.text(log).contains("attached") }
    pause(0.3)
    self.tracer = tracer
  }

  /// The counts until now, most first.
  func end() throws -> [(name: String, count: Int)] {
    tracer.signal(SIGINT)
    try until("the end of strace") { tracer.hasEndedByItself }
    let counts = Files.text(output).split(separator: "\n").compactMap { line -> (name: String, count: Int)? in
      // % time, seconds, µs a call, calls, errors if there were any, name
      let words = line.split(separator: " ")
      guard words.count >= 5, Double(words[0]) != nil, let count = Int(words[3]), words.last != "total" else {
        return nil
      }
      return (String(words[words.count - 1]), count)
    }
    guard !counts.isEmpty else { throw BenchmarkError("strace has counted nothing: \(tracer.lastLines)") }
    return counts.sorted { $0.count > $1.count }
  }
}
