import Glibc
import Testing

/// Every part of the benchmark, with small numbers: nothing is compared with a goal.
@Suite struct BenchTests {
  @Test func everyPartRunsAndNoEventIsMissing() async throws {
    try await withTestEnvironment { fixture in
      var arguments = [
        Executable.bench, "--daemon", Executable.path, "--floor", Executable.floor, "--responder",
        Executable.responder, "--directory", fixture.root, "--quick",
      ]
      if access("/usr/bin/openssl", X_OK) != 0 {
        print("The benchmark runs without TLS: openssl isn't installed.")
        arguments.append("--without-tls")
      }
      let (child, name) = try fixture.begin(arguments)
      // A quarter of a minute alone; other tests run beside it.
      _ = try await child.ended(within: .seconds(600))
      let outcome = try await fixture.outcome(of: child, name)
      #expect(outcome.exit == .code(0), "\(outcome.output)\(outcome.errors)")
      #expect(outcome.output.contains("Every part has run; no goal was compared."))
      for row in [
        "CPU an event", "99th percentile", "threads", "descriptors of each", "recovery", "until done",
      ] {
        #expect(outcome.output.contains(row), "no row of \(row):\n\(outcome.output)")
      }
    }
  }
}
