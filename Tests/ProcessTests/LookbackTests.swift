import BoxSimulator
import Testing

/// Events that Box shows only after later ones have been read.
@Suite struct LookbackTests {
  @Test func findsEventsThatBoxShowsLate() async throws {
    try await withTestEnvironment { fixture in
      fixture.settings.streams[0].lookbackInterval = "10s"
      fixture.configure()
      fixture.simulator.produce(40)
      let daemon = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      // Older than what Box serves again by itself.
      for depth in [12, 20, 30] { #expect(fixture.simulator.produceLate(depth: depth)) }
      try await eventually("the late events: \(fixture.lastLines(3))") {
        fixture.simulator.produce(1)
        try await Task.sleep(for: .milliseconds(200))
        return Tally(served: fixture.ledger().lines, spooled: fixture.spool().lines).missing == 0
      }
      #expect(try await daemon.terminated() == .code(0))
      let tally = Tally(served: fixture.ledger().lines, spooled: fixture.spool().lines)
      #expect(tally.missing == 0 && tally.twice == 0 && tally.foreign == 0, "\(tally)")
      #expect(fixture.simulator.violations.isEmpty)
      #expect(try await fixture.run("verify", "--config", fixture.configuration).exit == .code(0))
    }
  }
}
