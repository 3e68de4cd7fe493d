import BoxSimulator
import Testing

/// Events that Box shows only after their neighbours have been read.
@Suite struct OverlapCheckTests {
  @Test func findsWhatBoxHasShownLate() async throws {
    try await withPlace { place in
      place.settings.streams[0].overlapCheck = "10s"
      place.configure()
      place.simulator.produce(40)
      let daemon = try place.start()
      try await place.drained()
      try await place.simulator.wait { $0.heldPolls == 1 }
      // Behind what Box serves again by itself.
      for depth in [12, 20, 30] { #expect(place.simulator.produceLate(depth: depth)) }
      try await eventually("the late events: \(place.lastLines(3))") {
        place.simulator.produce(1)
        try await Task.sleep(for: .milliseconds(200))
        return Tally(served: place.ledger().lines, spooled: place.spool().lines).missing == 0
      }
      #expect(try await daemon.terminated() == .code(0))
      let tally = Tally(served: place.ledger().lines, spooled: place.spool().lines)
      #expect(tally.missing == 0 && tally.twice == 0 && tally.foreign == 0, "\(tally)")
      #expect(place.simulator.violations.isEmpty)
      #expect(try await place.run("verify", "--config", place.configuration).exit == .code(0))
    }
  }
}
