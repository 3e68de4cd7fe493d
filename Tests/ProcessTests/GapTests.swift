import BoxSimulator
import FoundationEssentials
import Glibc
import Testing

/// A break in continuity is told in three places: the stream's `gaps.ndjson`, the journal and the figures.
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

  @Test(arguments: Break.allCases) func isToldInThreePlaces(_ happening: Break) async throws {
    try await withPlace { place in
      place.simulator.produce(30)
      let first = try place.start()
      try await place.drained()
      try await place.simulator.wait { $0.heldPolls == 1 }
      #expect(try await place.status().streams[0].gaps == 0)
      #expect(try await first.terminated() == .code(0))
      #expect(!place.log.contains("a gap was recorded"))

      switch happening {
      case .spoolEmptied:
        try #require(truncate("\(place.root)/spool/default/events-0000000000000000.ndjson", 0) == 0)
      case .positionLost: try #require(unlink("\(place.root)/state/default/stream_position") == 0)
      case .positionSet:
        let set = try await place.run("position", "set", "default", "oldest", "--config", place.configuration)
        try #require(set.exit == .code(0), "\(set.errors)")
      }
      let second = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      #expect(try await place.status().streams[0].gaps == 1)
      #expect(try await second.terminated() == .code(0))
      let told = place.log.split(separator: "\n").filter { $0.contains("a gap was recorded") }
      #expect(told.count == 1 && told.allSatisfy { $0.contains(happening.cause) }, "\(told)")
      let lines = readFile("\(place.root)/spool/default/gaps.ndjson").lines
      #expect(lines.count == 1)
      #expect(lines.allSatisfy { Array($0).contains(#""cause":"\#(happening.cause)""#) })

      // The stream has been dry since: nothing more to tell, and still on record.
      let third = try place.start()
      try await place.simulator.wait { $0.heldPolls == 1 }
      #expect(try await place.status().streams[0].gaps == 1)
      #expect(try await third.terminated() == .code(0))
      #expect(place.log.split(separator: "\n").count { $0.contains("a gap was recorded") } == 1)
    }
  }
}
