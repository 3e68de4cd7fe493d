import Glibc
import TestSystem

/// A spool of many events, verified; beside it `sha256sum`, the least that reads every byte.
struct Verification {
  let bench: Bench

  private var bytes: Int { bench.scale.verifiedBytes }

  func run(_ report: inout Report) throws {
    report.section("A spool of \(bytes / 1_000_000) MB is verified", baseline: "sha256sum")
    let environment = try BenchEnvironment(in: bench.directory)
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
        name = "\(environment.streams[0])"

        """.utf8))
    let segments = try fill(environment)
    var turns = Turns<Double>()
    for _ in 0..<bench.scale.rounds {
      try turns.take([.daemon, .floor]) { contender in
        contender == .floor
          ? try time("/usr/bin/sha256sum", segments, environment)
          : try time(bench.programs.daemon, ["verify", "--config", environment.configuration], environment)
      }
    }
    report.row("until done, s", turns.median { $0 })
  }

  private func time(_ program: String, _ arguments: [String], _ environment: BenchEnvironment)
    throws -> Double
  {
    let start = MonotonicTime.now
    try Child(program, arguments, log: environment.log).finish()
    return Double(MonotonicTime.now - start) / 1e9
  }

  /// Segments of 64 MiB, events of 1.4 kB.
  private func fill(_ environment: BenchEnvironment) throws -> [String] {
    let folder = environment.spool(of: environment.streams[0])
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
