import BoxEvents
import Glibc
import Testing

@testable import Spool

struct StoppedStreamTests {
  private let box = SimulatedBox(total: 23)

  private func fixture() async throws -> SpoolFixture {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    (fixture.limits.knownEvents, fixture.limits.knownPeriod) = (5, .zero)
    try await fixture.drain(box, into: fixture.store())
    return fixture
  }

  @Test func knowsEveryEventAfterMovingBack() async throws {
    let fixture = try await fixture()
    _ = try fixture.stopped().set(to: .oldest)
    #expect(try fixture.record()?.position == .oldest)
    // It is stopped again on its way back.
    let store = try fixture.store()
    let position = try #require(try await store.recover().checkpoint?.position)
    let page = try box.page(from: position)
    let batch = try await store.deduplicate(page, readFrom: position)
    #expect(batch.new.isEmpty)
    try await store.save(Checkpoint(position: .at(try #require(page.nextPosition))))
    await store.close()

    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: 30))
    #expect(try fixture.record()?.known == .recent)
    let gaps = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(gaps.contains(#""cause":"position-set","ordinal":23,"from":""#))
  }

  @Test func bindsToTheConfiguredFeed() async throws {
    let fixture = try await fixture()
    fixture.feed.subject = Subject("user:2")
    await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    _ = try fixture.stopped().set(to: .oldest)
    try await fixture.drain(box, into: fixture.store())
    try fixture.expectIntact(box)
  }

  /// What a start would throw, seen without one, also by a command that only reads.
  @Test(arguments: [false, true]) func findsAnotherFeedAsAStartDoes(positionLost: Bool) async throws {
    let fixture = try await fixture()
    if positionLost { try #require(unlink(fixture.positionPath) == 0) }
    #expect(try fixture.stopped().foreign() == nil)
    fixture.feed.subject = Subject("user:2")
    let blocked = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    var place = try fixture.place()
    place.spoolRoot = try .root(fixture.spoolPath, on: LocalDisk(), access: .reading)
    place.stateRoot = try .root(fixture.statePath, on: LocalDisk(), access: .reading)
    #expect(try StoppedStream(place, bootID: "").foreign() == blocked)
    #expect(blocked?.message.contains("another feed") == true)
  }

  /// A stream that has never run, and one that has stored nothing, take any feed.
  @Test func findsNoOtherFeedBeforeAnythingIsStored() async throws {
    let fixture = try SpoolFixture()
    #expect(try fixture.stopped().foreign() == nil)
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    await store.close()
    fixture.feed.subject = Subject("user:2")
    #expect(try fixture.stopped().foreign() == nil)
    _ = try fixture.stopped().set(to: .oldest)
    fixture.feed.subject = Subject("user:1")
    #expect(try fixture.stopped().foreign() != nil)
  }

  @Test func freesABlockedStream() async throws {
    let fixture = try await fixture()
    try #require(unlink(fixture.positionPath) == 0 && unlink(fixture.path("segments.ndjson")) == 0)
    await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    #expect(try fixture.stopped().set(to: .oldest).ordinal == 23)
    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: 30))
  }

  @Test func beginsANewStream() async throws {
    let fixture = try SpoolFixture()
    #expect(try fixture.stopped().position() == nil)
    _ = try fixture.stopped().set(to: .oldest)
    let recovery = try await fixture.store().recover()
    #expect(recovery.checkpoint?.position == .oldest)
    #expect(recovery.ordinal == 0)
  }
}
