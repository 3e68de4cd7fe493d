import Glibc
import TestSystem

/// A spool of many events, verified; beside it `sha256sum`, the least that reads every byte.
struct Verification {
  struct Result {
    var seconds: Double
  }

  let daemon: String
  let bytes: Int
  let directory: String

  /// - Returns: of the daemon and of the baseline, in turns.
  func run(rounds: Int) throws -> Sides<[Result]> {
    let environment = try BenchEnvironment(in: directory)
    try Files.write(
      environment.configuration,
      Array(
        """
        [auth]
        client_id = "bench"
        subject = "user:1"
        [spool]
        directory = "\(environment.spool)"
        [state]
        directory = "\(environment.root)/state"
        [[stream]]
        name = "\(BenchEnvironment.stream)"

        """.utf8))
    let segments = try fill(environment)
    var results = Sides<[Result]>(daemon: [], floor: [])
    for _ in 0..<max(1, rounds) {
      results.daemon.append(try time(daemon, ["verify", "--config", environment.configuration], environment))
      results.floor.append(try time("/usr/bin/sha256sum", segments, environment))
    }
    return results
  }

  private func time(_ program: String, _ arguments: [String], _ environment: borrowing BenchEnvironment)
    throws -> Result
  {
    let start = MonotonicTime.now
    try Child(program, arguments, log: environment.log).finish()
    return Result(seconds: Double(MonotonicTime.now - start) / 1e9)
  }

  /// Segments of 64 MiB, events of 1.4 kB.
  private func fill(_ environment: borrowing BenchEnvironment) throws -> [String] {
    let folder = "\(environment.spool)/\(BenchEnvironment.stream)"
    mkdir(folder, 0o750)
    let padding = String(repeating: "x", count: 1250)
    var (paths, ordinal, written) = ([String](), 0, 0)
    while written < bytes {
      let digits = String(ordinal)
      let name = "events-" + String(repeating: "0", count: 16 - digits.count) + digits + ".ndjson"
      var text: [UInt8] = []
      text.reserveCapacity(65 << 20)
      while text.count < 64 << 20, written + text.count < bytes {
        text += Array(
          #"{"type":"event","event_id":"\#(ordinal)","event_type":"ITEM_UPLOAD","#.utf8)
        text += Array(#""source":{"name":"Z\u00fcrich \"1\"","size":1.2318e+31,"more":"\#(padding)"}}"#.utf8)
        text.append(10)
        ordinal += 1
      }
      try Files.write("\(folder)/\(name)", text)
      paths.append("\(folder)/\(name)")
      written += text.count
    }
    return paths
  }
}
