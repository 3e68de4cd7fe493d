import BoxSimulator
import Testing

/// Something between the daemon and Box ends every quiet poll.
@Suite struct IdlePollTests {
  @Test(arguments: [Fault.status(504), .reset])
  func theEndOfAnIdlePollIsNoFailure(_ fault: Fault) async throws {
    try await withTestEnvironment { fixture in
      // Longer than the half minute from which a poll counts as held.
      fixture.simulator.script(
        .poll, [.delayed(.seconds(31), then: fault), .delayed(.seconds(31), then: fault)])
      let daemon = try fixture.start()
      try await eventually("both polls to be cut off, and a third") {
        fixture.simulator.scripted(.poll) == 0 && fixture.simulator.statistics.heldPolls == 1
      }
      let polls = fixture.simulator.statistics.requests(.poll)
      #expect(polls == 3)
      #expect(!fixture.log.contains("cannot get events"))
      let stream = try await fixture.status().streams.first
      #expect(stream?.state == "polling" && stream?.error == nil)
      fixture.simulator.produce(3)
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
    }
  }
}
