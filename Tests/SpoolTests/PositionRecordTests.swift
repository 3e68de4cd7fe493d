import BoxEvents
import TestDisks
import Testing

@testable import Spool

struct PositionRecordTests {
  private let record = PositionRecord(
    checkpoint: Checkpoint(
      position: ReadPosition("11529229762522908860000000000000") ?? .now,
      confirmedAt: BoxTime(secondsSince1970: 1_700_000_000)), ordinal: 104_729, segment: 100_000,
    offset: 7_000_000, boot: "6b9a-1", feed: String(repeating: "ab", count: 32))

  @Test func readsWhatItWrites() {
    #expect(PositionRecord(parsing: record.text) == record)
    var other = record
    (other.checkpoint.position, other.checkpoint.confirmedAt, other.known, other.boot) = (
      .oldest, nil, .all, ""
    )
    #expect(PositionRecord(parsing: other.text) == other)
    (other.checkpoint.position, other.checkpoint.readSince) = (.now, BoxTime(secondsSince1970: 1_700_000_009))
    #expect(PositionRecord(parsing: other.text) == other)
    other.known = .since(104_700)
    #expect(PositionRecord(parsing: other.text) == other)
    other.accepted = SpoolEnd(segment: 100_000, offset: 900)
    #expect(PositionRecord(parsing: other.text) == other)
    #expect(other.text.hasSuffix("known_from: 104700\nspool_end: 100000 900\n"))
    other.parts = ["https://api.box.com", "", "23", "all"]
    #expect(PositionRecord(parsing: other.text) == other)
    #expect(
      other.text.hasSuffix("api: https://api.box.com\nsubject: none\nas_user: 23\ntype: all\nowner: none\n"))
    other.owner = "123"
    #expect(PositionRecord(parsing: other.text) == other)
  }

  @Test(arguments: [
    ("ordinal: 104729", "ordinal: 0104729"), ("ordinal: 104729", "ordinal: +104729"),
    ("ordinal: 104729", "ordinal: 99999"), ("ordinal: 104729", "ordinal: 18446744073709551615"),
    ("offset: 7000000", "offset: -1"), ("stream_position: 1", "stream_position: -1"),
    ("stream_position", "position"), ("confirmed_at: 1700000000", "confirmed_at: soon"),
    ("read_since: caught-up", "read_since: soon"), ("known_from: recent", "known_from: "),
    ("known_from: recent", "known_from: recent\nspool_end: 1"),
    ("known_from: recent", "known_from: recent\nspool_end: 1 -1"),
    ("feed: ", "feed:"),
    ("boot: 6b9a-1\n", ""),
  ])
  func refuses(_ change: (String, String)) {
    #expect(PositionRecord(parsing: record.text.replacing(change.0, with: change.1)) == nil)
  }

  /// Ten thousand damaged position files: each gives one of the two records that were written, or none
  /// and a stream that reports it; never another position, never a silent first start.
  @Test func tenThousandMutations() async throws {
    let disk = MemoryDisk()
    let fixture = SpoolFixture(memory: ())
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store(on: disk))
    let place = try fixture.place(on: disk)
    let state = try #require(try place.stateRoot.subdirectory("default"))
    let file = try #require(try state.file("stream_position", writing: true))
    let original = try file.bytes(in: 0..<8192)
    let blocks = [original[..<4096], original[4096...]].map { String(decoding: $0, as: UTF8.self) }

    for seed in UInt64(0)..<10_000 {
      var random = SplitMix64(seed: seed)
      let mutated = Self.mutate(original, &random)
      try file.truncate(to: 0)
      try file.write(mutated, at: 0)
      let found = try StoppedStream(place, bootID: "boot-1").position()
      if let found { #expect(blocks.contains { $0.contains(found.text) }, "seed \(seed)") }
      guard seed % 20 == 0 else { continue }
      do {
        let recovery = try await fixture.store(on: disk).recover()
        #expect(recovery.checkpoint != nil, "seed \(seed)")
        #expect(recovery.rebuilt == (found == nil), "seed \(seed)")
      } catch {
        Issue.record("seed \(seed): \(error)")
      }
    }
  }

  private static func mutate(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var mutated = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard !mutated.isEmpty else { break }
      // Mostly where the text is.
      let place =
        (Int.random(in: 0..<(Bool.random(using: &random) ? 450 : 4096), using: &random)
          + (Bool.random(using: &random) ? 4096 : 0)) % mutated.count
      switch Int.random(in: 0..<8, using: &random) {
      case 0: mutated[place] = UInt8.random(in: .min ... .max, using: &random)
      case 1: mutated[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: mutated[place] = UInt8.random(in: 0x30...0x39, using: &random)
      case 3: mutated.remove(at: place)
      case 4: mutated.insert(UInt8(ascii: "0"), at: place)
      case 5: mutated.removeLast(Int.random(in: 0...mutated.count, using: &random))
      case 6:
        let end = min(mutated.count, place + 512)
        mutated.replaceSubrange(place..<end, with: [UInt8](repeating: 0, count: end - place))
      default:
        let from = Int.random(in: 0..<mutated.count, using: &random)
        let length = min(200, mutated.count - from, mutated.count - place)
        mutated.replaceSubrange(place..<(place + length), with: mutated[from..<(from + length)])
      }
    }
    return mutated
  }
}
