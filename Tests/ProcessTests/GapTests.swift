import BoxSimulator
import FoundationEssentials
import Glibc
import Testing

/// A gap is reported in three places: the stream's `gaps.ndjson`, the journal and the metrics.
@Suite struct GapTests {
  enum Break: CaseIterable {
    case spoolEmptied, positionLost, positionSet

    var cause: String {
      switch self {
      case .spoolEmptied: "spool-shortened"
      case .positionLost: "state-lost"
      case .positionSet: "position-set"
      }
    }
  }

  @Test(arguments: Break.allCases) func isReportedInThreePlaces(_ input: Break) async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(30)
      let first = try fixture.start()
      try await fixture.drained()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await fixture.status().streams[0].gaps == 0)
      #expect(try await first.terminated() == .code(0))
      #expect(!fixture.log.contains("a gap was recorded"))

      switch input {
      case .spoolEmptied:
        try #require(truncate("\(fixture.root)/spool/default/events-0000000000000000.ndjson", 0) == 0)
      case .positionLost: try #require(unlink("\(fixture.root)/state/default/stream_position") == 0)
      case .positionSet:
        let set = try await fixture.run(
          "position", "set", "default", "oldest", "--config", fixture.configuration)
        try #require(set.exit == .code(0), "\(set.errors)")
        #expect(set.output == "default: continues from oldest; the next event has ordinal 30\n")
      }
      let second = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await fixture.status().streams[0].gaps == 1)
      #expect(try await second.terminated() == .code(0))
      let reports = fixture.log.split(separator: "\n").filter { $0.contains("a gap was recorded") }
      #expect(reports.count == 1 && reports.allSatisfy { $0.contains(input.cause) }, "\(reports)")
      let lines = readFile("\(fixture.root)/spool/default/gaps.ndjson").lines
      #expect(lines.count == 1)
      #expect(lines.allSatisfy { Array($0).contains(#""cause":"\#(input.cause)""#) })

      // The stream has caught up since: nothing more to report, and the gap is still recorded.
      let third = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
      #expect(try await fixture.status().streams[0].gaps == 1)
      #expect(try await third.terminated() == .code(0))
      #expect(fixture.log.split(separator: "\n").count { $0.contains("a gap was recorded") } == 1)
    }
  }
}
