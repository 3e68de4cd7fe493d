import BoxEvents
import Glibc
import Testing

@testable import Spool

/// Finished segments may be deleted at any time; what they ended with stays known.
struct KnownIDsTests {
  private func page(_ numbers: Range<Int>) throws -> EventPage {
    try EventPage(
      lines: numbers.map { Array(#"{"event_id":"e\#($0)"}"#.utf8) }, nextPosition: StreamPosition("2"))
  }

  /// Spools `count` events, each in a segment of its own, and deletes all segments but the newest.
  private func spooled(_ count: Int, in fixture: SpoolFixture) async throws {
    fixture.limits.segmentSize = 1
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    for number in 0..<count {
      let batch = try await store.deduplicate(page(number..<(number + 1)), readFrom: .oldest)
      fixture.clock.advance(11)
      _ = try await store.commit(batch, at: Checkpoint(position: try #require(ReadPosition("2"))))
    }
    await store.close()
    for number in 0..<(count - 1) {
      try #require(unlink("\(fixture.spoolPath)/default/\(SegmentName.text(UInt64(number)))") == 0)
    }
  }

  @Test(arguments: ["boot-1", "boot-2"])
  func knowsEventsOfDeletedSegments(boot: String) async throws {
    let fixture = try SpoolFixture()
    try await spooled(6, in: fixture)
    let store = try fixture.store(boot: boot)
    _ = try await store.recover()
    let batch = try await store.deduplicate(page(0..<8), readFrom: .oldest)
    #expect(batch.new == [6, 7])
    _ = try await store.commit(batch, at: Checkpoint(position: try #require(ReadPosition("2"))))
    #expect(try fixture.lines().count == 3)
  }

  /// Ids that the spool still has must not become the oldest of the window through this file.
  @Test func keepsTheSpoolsOrderOverTheFiles() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 1
    (fixture.limits.knownEvents, fixture.limits.knownPeriod) = (6, .zero)
    let checkpoint = Checkpoint(position: try #require(ReadPosition("2")))
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    for range in [0..<3, 3..<5] {
      fixture.clock.advance(11)
      _ = try await store.commit(store.deduplicate(page(range), readFrom: .oldest), at: checkpoint)
    }
    await store.close()
    let next = try fixture.store()
    _ = try await next.recover()
    _ = try await next.commit(next.deduplicate(page(5..<7), readFrom: .oldest), at: checkpoint)
    // The window holds 6: events 1 to 6.
    #expect(try await next.deduplicate(page(1..<8), readFrom: .oldest).new == [6])
  }

  /// A busy stream has brought more than the usual number within the last hours; there is a ceiling.
  @Test(arguments: [40, 1000]) func knowsWhatTheLastHoursHaveBrought(ceiling: Int) async throws {
    let fixture = try SpoolFixture()
    (fixture.limits.knownEvents, fixture.limits.knownCeiling) = (10, ceiling)
    let store = try fixture.store()
    try await fixture.drain(SimulatedBox(total: 50), into: store)
    let all = try EventPage(lines: (0..<50).map { Array(SimulatedBox.line($0).utf8) }, nextPosition: nil)
    for known in [store, try fixture.store()] {
      _ = try await known.recover()
      let unknown = Array(0..<max(0, 50 - ceiling))
      #expect(try await known.deduplicate(all, readFrom: .oldest).new == unknown)
    }
  }

  /// The state was lost; finished segments are compressed, linked or deleted. The gap's line has the number.
  @Test(arguments: ["none", "gz", "link", "deleted"], [3, 1000])
  func countsIDsThatWereLost(kind: String, knownEvents: Int) async throws {
    let fixture = try SpoolFixture()
    (fixture.limits.segmentSize, fixture.limits.knownEvents) = (1, knownEvents)
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    for number in 0..<6 {
      let batch = try await store.deduplicate(page(number..<(number + 1)), readFrom: .oldest)
      fixture.clock.advance(11)
      _ = try await store.commit(batch, at: Checkpoint(position: try #require(ReadPosition("2"))))
    }
    await store.close()
    for name in ["stream_position", KnownIDs.fileName] {
      try #require(unlink("\(fixture.statePath)/default/\(name)") == 0)
    }
    for ordinal in [UInt64(1), 3] {
      let path = fixture.path(SegmentName.text(ordinal))
      switch kind {
      case "gz": try #require(rename(path, path + ".gz") == 0)
      case "link": try #require(rename(path, path + ".gz") == 0 && symlink(path + ".gz", path) == 0)
      case "deleted": try #require(unlink(path) == 0)
      default: break
      }
    }
    let recovery = try await fixture.store().recover()
    #expect(recovery.rebuilt)
    let count = kind == "none" ? 0 : knownEvents == 3 ? 1 : 2
    #expect(recovery.notes.contains { $0.hasPrefix("\(count) of the last events") } == (count > 0))
    let gaps = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(gaps.contains(#""unknown_ids":\#(count)"#) == (count > 0))
  }

  @Test func rejectsACorruptFile() async throws {
    let fixture = try SpoolFixture()
    try await spooled(4, in: fixture)
    let path = "\(fixture.statePath)/default/\(KnownIDs.fileName)"
    let descriptor = open(path, O_WRONLY)
    try #require(pwrite(descriptor, "f", 1, 3) == 1)
    close(descriptor)
    let store = try fixture.store()
    _ = try await store.recover()
    // Only what the newest segment holds is known; nothing traps, and nothing new is hidden.
    #expect(try await store.deduplicate(page(0..<6), readFrom: .oldest).new.suffix(2) == [4, 5])
  }
}
