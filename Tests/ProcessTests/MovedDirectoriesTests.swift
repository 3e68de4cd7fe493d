import BoxSimulator
import Glibc
import Testing

/// The directory of the spool, or that of the state, is renamed under the daemon.
@Suite struct MovedDirectoriesTests {
  /// Without a new one the stream pauses, and goes on by itself; readers find what comes next at the configured path.
  @Test(arguments: ["spool", "state"], [false, true])
  func followsThePath(_ name: String, isPutBack: Bool) async throws {
    try await withTestEnvironment { fixture in
      let path = "\(fixture.root)/\(name)"
      fixture.simulator.produce(20)
      let daemon = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      try #require(rename(path, path + ".old") == 0)
      fixture.simulator.produce(5)
      try await fixture.logged("stream paused: its directory was moved")
      #expect(fixture.log.contains("\(path) was moved or deleted while the daemon runs"))
      try #require(isPutBack ? rename(path + ".old", path) == 0 : mkdir(path, 0o700) == 0)
      try await fixture.logged("stream resumed: its directory is there again")
      let isNewSpool = name == "spool" && !isPutBack
      let count = isNewSpool ? 5 : 25
      try await eventually("\(count) events") { fixture.spool().lines.count >= count }
      if isNewSpool {
        let isEnd = fixture.spool().isSame(as: Array(fixture.ledger().suffix(fixture.spool().count)))
        #expect(isEnd && fixture.spool().lines.count == 5)
      } else {
        fixture.expectIntact()
      }
      #expect(fixture.lineCount(of: "gaps.ndjson") == (isPutBack ? 0 : 1))
      // The lock has moved along.
      #expect(try await fixture.run("run", "--config", fixture.configuration).exit == .code(75))
      #expect(try await daemon.terminated() == .code(0))
      let verified = try await fixture.run("verify", "--config", fixture.configuration)
      #expect(verified.exit == .code(0), "\(verified.output)")
    }
  }
}
