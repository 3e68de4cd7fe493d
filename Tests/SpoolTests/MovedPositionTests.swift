import BoxEvents
import FoundationEssentials
import Glibc
import Testing

@testable import Spool

/// What `position set` leaves behind for the next run.
struct MovedPositionTests: EventStoreFixture {
  private func used() async throws -> SpoolFixture {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    return fixture
  }

  /// Whether the stream is complete at its new position is unknown.
  @Test func forgetsWhenItWasCaughtUp() async throws {
    let fixture = try await used()
    #expect(try fixture.record()?.confirmedAt != nil)
    let moved = try fixture.stopped().set(to: .oldest)
    #expect(moved.confirmedAt == nil)
    #expect(try fixture.record() == moved)
    let lines = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(lines.contains(#""cause":"position-set""#) && lines.contains(#""since":"#))
  }

  /// Every start reports the move, until the stream has been seen caught up.
  @Test func reportsTheMoveUntilCaughtUp() async throws {
    let fixture = try await used()
    _ = try fixture.stopped().set(to: .oldest)
    for _ in 1...2 {
      let recovery = try await fixture.store().recover()
      #expect(recovery.gaps.map(\.cause) == [.positionSet])
      #expect(recovery.gaps.first?.to == .oldest && recovery.gaps.first?.since != nil)
      #expect(recovery.recordedGaps == 1)
    }
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    let recovery = try await fixture.store().recover()
    #expect(recovery.gaps == [] && recovery.recordedGaps == 1)
  }

  /// Whatever comes in between: only a caught up read proves that all of it has been served again.
  @Test func knowsEverythingAfterTheMoveDespiteNewEvents() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.knownEvents = 10
    let ids = (0..<60).map { #"{"event_id":"\#($0)"}"# }
    let first = try await begun(fixture)
    for start in stride(from: 0, to: 60, by: 20) {
      try await commit(Array(ids[start..<start + 20]), to: first)
    }
    await first.close()
    _ = try fixture.stopped().set(to: .oldest)
    for news in ["a", "b"] {
      let store = try fixture.store()
      _ = try await store.recover()
      #expect(try await commit([#"{"event_id":"\#(news)"}"#], to: store).events == 1)
      #expect(try await store.deduplicate(page(ids), readFrom: .oldest).new == [], "\(news)")
      await store.close()
    }
  }

  /// A long tail that a killed run has left is served again after other news, too.
  @Test func knowsALongTailDespiteNewEvents() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.knownEvents = 10
    let first = try await begun(fixture)
    try await commit([#"{"event_id":"first"}"#], to: first)
    await first.close()
    let tail = (0..<40).map { #"{"event_id":"\#($0)"}"# }
    try fixture.append(tail.map { $0 + "\n" }.joined(), to: fixture.path(SegmentName.text(0)))
    let store = try fixture.store()
    #expect(try await store.recover().ordinal == 41)
    #expect(try await commit([#"{"event_id":"news"}"#], to: store).events == 1)
    #expect(try await store.deduplicate(page(tail), readFrom: .oldest).new == [])
  }

  @Test func neverReusesOrdinalsOfDeletedSegments() async throws {
    let fixture = try await used()
    let last = try #require(try fixture.segmentNames().last.flatMap(SegmentName.ordinal))
    for name in try fixture.segmentNames() { try #require(unlink(fixture.path(name)) == 0) }
    try #require(unlink(fixture.positionPath) == 0)
    #expect(last > 0)
    #expect(try fixture.stopped().set(to: .oldest).ordinal >= last)
  }

  @Test func writesTheStartLine() throws {
    let fixture = try SpoolFixture()
    _ = try fixture.stopped().set(to: .now)
    let lines = try fixture.read(fixture.path("segments.ndjson")).split(separator: 0x0A)
    #expect(lines.count == 1)
    #expect(lines.first.flatMap { JSONDocument(Array($0))?["start"].text } == "now")
  }
}
