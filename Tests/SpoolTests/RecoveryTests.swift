import BoxEvents
import FoundationEssentials
import Glibc
import Testing

@testable import Spool

/// Each thing a start may find, by itself, on the real disk.
struct RecoveryTests {
  private func fixture(events: Int = 4) async throws -> SpoolFixture {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: events), into: fixture.store())
    return fixture
  }

  private let segment = "events-0000000000000000.ndjson"

  private func asides(_ fixture: SpoolFixture) throws -> [String] {
    let directory = "\(fixture.statePath)/default"
    return try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasPrefix("aside-") }
      .map { String(decoding: try fixture.read("\(directory)/\($0)"), as: UTF8.self) }
  }

  @Test func firstStart() async throws {
    let fixture = try SpoolFixture()
    let recovery = try await fixture.store().recover()
    #expect(recovery == Recovery(checkpoint: nil, ordinal: 0))
    // Still one, as long as nothing has begun.
    #expect(try await fixture.store().recover().checkpoint == nil)
  }

  @Test func quietRestart() async throws {
    let fixture = try await fixture()
    let recovery = try await fixture.store(boot: "boot-2").recover()
    #expect(recovery.checkpoint?.position == SimulatedBox(total: 4).position(4))
    #expect(recovery.ordinal == 4)
    #expect(recovery.notes.isEmpty)
    #expect(try fixture.record()?.boot == "boot-2")
  }

  @Test func sameBootKeepsCompleteLines() async throws {
    let fixture = try await fixture()
    try fixture.append(SimulatedBox.line(4) + "\n" + SimulatedBox.line(5) + "\n", to: fixture.path(segment))
    let recovery = try await fixture.store().recover()
    #expect(recovery.ordinal == 6)
    #expect(recovery.checkpoint?.position == SimulatedBox(total: 4).position(4))
    #expect(recovery.notes.count == 1)
    #expect(try fixture.lines().count == 6)
    try await fixture.drain(SimulatedBox(total: 9), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: 9))
  }

  /// Each run ends between its events and its record, again and again: none moves the position, and all they
  /// have left is served once more.
  @Test(arguments: [1, 5, 9]) func keepsTheTailsOfManyRuns(_ events: Int) async throws {
    let fixture = try await fixture()
    fixture.limits.knownEvents = 20
    var total = 4
    for _ in 0..<10 {
      for number in total..<(total + events) {
        try fixture.append(SimulatedBox.line(number) + "\n", to: fixture.path(segment))
      }
      total += events
      let recovery = try await fixture.store().recover()
      #expect(recovery.checkpoint?.position == SimulatedBox(total: 4).position(4))
      #expect(recovery.ordinal == UInt64(total))
    }
    #expect(try fixture.record()?.known == .since(4))
    try await fixture.drain(SimulatedBox(total: total + 30), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: total + 30))
    #expect(try fixture.record()?.known == .recent)
  }

  @Test func sameBootCompletesPartialLine() async throws {
    let fixture = try await fixture()
    try fixture.append(String(SimulatedBox.line(4).prefix(20)), to: fixture.path(segment))
    let size = try fixture.read(fixture.path(segment)).count
    _ = try await fixture.store().recover()
    #expect(try fixture.read(fixture.path(segment)).count == size)
    try await fixture.drain(SimulatedBox(total: 9), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: 9))
    #expect(try asides(fixture) == [])
  }

  @Test func sameBootCutsThePartialLineOfAnotherEvent() async throws {
    let fixture = try await fixture()
    try fixture.append(#"{"event_id":"never sent completely"#, to: fixture.path(segment))
    try await fixture.drain(SimulatedBox(total: 9), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: 9))
    #expect(try asides(fixture) == [#"{"event_id":"never sent completely"#])
  }

  @Test func otherBootFetchesAgain() async throws {
    let fixture = try await fixture()
    let tail = SimulatedBox.line(4) + "\n" + "\0\0\0\0{" + "\n"
    try fixture.append(tail, to: fixture.path(segment))
    let recovery = try await fixture.store(boot: "boot-2").recover()
    #expect(recovery.ordinal == 4)
    #expect(try fixture.lines().count == 4)
    #expect(try asides(fixture) == [tail])
    try await fixture.drain(SimulatedBox(total: 9), into: fixture.store(boot: "boot-2"))
    try fixture.expectIntact(SimulatedBox(total: 9))
  }

  @Test func unknownBootTrustsNothing() async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store(boot: ""))
    try fixture.append(SimulatedBox.line(4) + "\n", to: fixture.path(segment))
    #expect(try await fixture.store(boot: "").recover().ordinal == 4)
  }

  @Test(arguments: [0, 100])
  func shortenedSpool(size: Int) async throws {
    let fixture = try await fixture()
    try #require(truncate(fixture.path(segment), size) == 0)
    let recovery = try await fixture.store().recover()
    #expect(recovery.ordinal == 4)
    // What is missing may still be had.
    #expect(recovery.checkpoint?.position == .oldest)
    #expect(recovery.notes.contains { $0.contains("shorter") })
    #expect(recovery.gaps.map(\.cause) == [.spoolShortened] && recovery.recordedGaps == 1)
    // Said once.
    let again = try await fixture.store().recover()
    #expect(again.notes.isEmpty && again.gaps.isEmpty && again.recordedGaps == 1)
    let gaps = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(gaps.split(separator: "\n").count == 1)
    #expect(gaps.contains(#""cause":"spool-shortened","ordinal":4"#))
    try await fixture.drain(SimulatedBox(total: 9, overlap: 0), into: fixture.store())
    #expect(try fixture.segmentNames() == [segment, "events-0000000000000004.ndjson"])
    #expect(try fixture.verify().problem == nil)
    #expect(try fixture.lines().suffix(5).elementsEqual((4..<9).map { SimulatedBox.line($0) }))
  }

  @Test func newestSegmentDeleted() async throws {
    let fixture = try await fixture()
    try #require(unlink(fixture.path(segment)) == 0)
    #expect(try await fixture.store().recover().notes.contains { $0.contains("is missing") })
    try await fixture.drain(SimulatedBox(total: 9, overlap: 0), into: fixture.store())
    #expect(try fixture.segmentNames() == ["events-0000000000000004.ndjson"])
  }

  @Test(arguments: ["", "junk", String(repeating: " ", count: 8192)])
  func positionFileDestroyed(content: String) async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    try fixture.write(Array(content.utf8), to: fixture.positionPath)
    let recovery = try await fixture.drain(SimulatedBox(total: 30), into: fixture.store())
    #expect(recovery.rebuilt)
    #expect(recovery.gaps.map(\.cause) == [.stateLost] && recovery.recordedGaps == 1)
    #expect(recovery.ordinal == 23)
    try fixture.expectIntact(SimulatedBox(total: 30))
    let gaps = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(gaps.contains("state-lost"))
  }

  @Test func positionFileDeletedAndNewestSegmentPartial() async throws {
    let fixture = try await fixture()
    try #require(unlink(fixture.positionPath) == 0)
    try fixture.append(String(SimulatedBox.line(4).prefix(30)), to: fixture.path(segment))
    let recovery = try await fixture.drain(SimulatedBox(total: 9), into: fixture.store(boot: "boot-2"))
    #expect(recovery.rebuilt && recovery.ordinal == 4)
    try fixture.expectIntact(SimulatedBox(total: 9))
  }

  @Test func olderPositionFileRestored() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 500
    try await fixture.drain(SimulatedBox(total: 6), into: fixture.store())
    let old = try fixture.read(fixture.positionPath)
    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store())
    try fixture.write(old, to: fixture.positionPath)
    let recovery = try await fixture.drain(SimulatedBox(total: 33), into: fixture.store(boot: "boot-2"))
    #expect(recovery.rebuilt)
    try fixture.expectIntact(SimulatedBox(total: 33))
  }

  /// The order of the blocks means nothing; the greater sequence counts.
  @Test func positionRecordsSwapped() async throws {
    let fixture = try await fixture(events: 8)
    let bytes = try fixture.read(fixture.positionPath)
    let newest = try #require(try fixture.record())
    try fixture.write(Array(bytes[4096...]) + Array(bytes[..<4096]), to: fixture.positionPath)
    #expect(try fixture.record() == newest)
    let recovery = try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    #expect(!recovery.rebuilt && recovery.notes.isEmpty)
    try fixture.expectIntact(SimulatedBox(total: 12))
  }

  /// Intact records with a line that this version doesn't know are invalid: what it means can't be guessed.
  @Test func positionFileOfAnotherVersion() async throws {
    let fixture = try await fixture(events: 8)
    let record = try #require(try fixture.record())
    let state = try #require(try fixture.place().stateRoot.subdirectory("default"))
    var file = try TwoBlockFile(making: "stream_position", in: state)
    for _ in 0..<2 { try file.write(record.text + "shard: 3\n") }
    #expect(try fixture.record() == nil)
    let recovery = try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    #expect(recovery.rebuilt)
    try fixture.expectIntact(SimulatedBox(total: 12))
    let gaps = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(gaps.contains("state-lost"))
  }

  /// Another account's file blocks the stream; one of the same feed, copied from another spool, is a gap.
  @Test func positionFileOfAnotherStream() async throws {
    let other = try SpoolFixture()
    other.feed.subject = Subject("user:2")
    try await other.drain(SimulatedBox(total: 23), into: other.store())
    let fixture = try await fixture()
    try fixture.write(try other.read(other.positionPath), to: fixture.positionPath)
    let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    #expect(failure?.code == .blocked)
    #expect(failure?.hint?.contains("box-eventd position set default") == true)

    let twin = try SpoolFixture()
    try await twin.drain(SimulatedBox(total: 23), into: twin.store())
    try fixture.write(try twin.read(twin.positionPath), to: fixture.positionPath)
    let recovery = try await fixture.store().recover()
    #expect(recovery.ordinal == 23)
    #expect(recovery.notes.contains { $0.contains("shorter than the position file records") })
    let gaps = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(gaps.contains("spool-shortened"))
  }

  @Test func newestRecordPartial() async throws {
    let fixture = try await fixture()
    var bytes = try fixture.read(fixture.positionPath)
    let newest = try #require(try fixture.record())
    let block = String(decoding: bytes[..<4096], as: UTF8.self).contains(newest.text) ? 0 : 4096
    bytes[block + 100] ^= 1
    try fixture.write(bytes, to: fixture.positionPath)
    let recovery = try await fixture.drain(SimulatedBox(total: 9), into: fixture.store())
    #expect(!recovery.rebuilt)
    try fixture.expectIntact(SimulatedBox(total: 9))
  }

  @Test func startLineAloneBlocks() async throws {
    let fixture = try SpoolFixture()
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .now))
    try #require(unlink(fixture.positionPath) == 0)
    let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    #expect(failure?.code == .blocked)
    #expect(failure?.hint?.contains("box-eventd position set default") == true)
  }

  @Test func spoolWithoutEvidenceBlocks() async throws {
    let fixture = try await fixture()
    try #require(unlink(fixture.positionPath) == 0)
    try #require(unlink(fixture.path("segments.ndjson")) == 0)
    let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    #expect(failure?.code == .blocked)
  }

  @Test func recordWithoutStartLineGetsOne() async throws {
    let fixture = try SpoolFixture()
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    try #require(unlink(fixture.path("segments.ndjson")) == 0)
    #expect(try await fixture.store().recover().checkpoint?.position == .oldest)
    let line = String(decoding: try fixture.read(fixture.path("segments.ndjson")), as: UTF8.self)
    #expect(line.hasPrefix(#"{"start":"0","feed":""#))
  }

  @Test(arguments: [false, true])
  func anotherFeedBlocks(positionLost: Bool) async throws {
    let fixture = try await fixture()
    if positionLost { try #require(unlink(fixture.positionPath) == 0) }
    fixture.feed.subject = Subject("user:2")
    let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    #expect(failure?.code == .blocked)
    #expect(failure?.message.contains("another feed") == true)
    #expect(failure?.message.contains("its subject was user:1 and is user:2") == !positionLost)
    #expect(failure?.hint?.hasPrefix("Undo the change") == true)
    fixture.feed.subject = Subject("user:1")
    #expect(try await fixture.store().recover().ordinal == 4)
  }

  /// A reload applies the keys of a stream again; the API and the subject may be those of [box] and [auth].
  @Test func anotherFeedNamesTheCommandThatAppliesTheOldOne() async throws {
    let fixture = try await fixture()
    let undo = "Undo the change, then run systemctl"
    for change in [{ $0.type = .changes }, { $0.asUser = "9" }] as [(inout FeedIdentity) -> Void] {
      fixture.feed = SpoolFixture.feed
      change(&fixture.feed)
      let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
      #expect(failure?.hint?.hasPrefix("\(undo) reload box-eventd: ") == true, "\(failure?.hint ?? "")")
      fixture.feed.subject = Subject("user:2")
      let other = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
      #expect(other?.hint?.hasPrefix("\(undo) restart box-eventd: ") == true, "\(other?.hint ?? "")")
    }
  }

  /// Box has refused the subject of a first set-up, and it has been corrected.
  @Test func anotherFeedIsAFirstStartWhileNothingIsStored() async throws {
    let fixture = try SpoolFixture()
    let store = try fixture.store()
    _ = try await store.recover()
    try await store.begin(at: Checkpoint(position: .oldest))
    await store.close()
    fixture.feed.subject = Subject("user:2")
    #expect(try await fixture.store().recover().checkpoint == nil)
    let box = SimulatedBox(total: 4)
    try await fixture.drain(box, into: fixture.store())
    try fixture.expectIntact(box)
    #expect(try fixture.record()?.parts[1] == "user:2")
    // From now on it is bound.
    fixture.feed.subject = Subject("user:1")
    await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
  }

  /// Read to its end once: later events would be missing.
  @Test(arguments: [true, false])
  func anotherFeedBlocksAStreamWithoutEvents(isConfirmed: Bool) async throws {
    let fixture = try SpoolFixture()
    if isConfirmed {
      try await fixture.drain(SimulatedBox(total: 0), into: fixture.store())
      #expect(try fixture.record()?.confirmedAt != nil)
    } else {
      _ = try fixture.stopped().set(to: .oldest)
    }
    fixture.feed.subject = Subject("user:2")
    let failure = await #expect(throws: StoreFailure.self) { try await fixture.store().recover() }
    #expect(failure?.code == .blocked)
  }

  // MARK: The owner that Box names

  @Test func bindsThePositionToTheOwnerThatBoxNames() async throws {
    let fixture = try SpoolFixture()
    fixture.feed.subject = nil
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    #expect(try fixture.record()?.owner == nil)
    // Box tells, at first or later.
    fixture.owner = "123"
    try await fixture.drain(SimulatedBox(total: 8), into: fixture.store())
    #expect(try fixture.record()?.owner == "123")
    // It isn't forgotten while Box doesn't tell.
    fixture.owner = nil
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    #expect(try fixture.record()?.owner == "123")

    fixture.owner = "124"
    let failure = await #expect(throws: StoreFailure.self) {
      try await fixture.drain(SimulatedBox(total: 16), into: fixture.store())
    }
    #expect(failure?.code == .blocked)
    #expect(failure?.message.contains("of 123, which is now that of 124") == true)
    try fixture.expectIntact(SimulatedBox(total: 12))
    // Undone, or decided by an operator.
    fixture.owner = "123"
    try await fixture.drain(SimulatedBox(total: 13), into: fixture.store())
    fixture.owner = "124"
    _ = try fixture.stopped().set(to: .oldest)
    try await fixture.drain(SimulatedBox(total: 16), into: fixture.store())
    #expect(try fixture.record()?.owner == "124")
  }

  @Test func repairsTheLinkCurrent() async throws {
    let fixture = try await fixture()
    try #require(unlink(fixture.path("current")) == 0)
    try #require(symlink("elsewhere", fixture.path("current")) == 0)
    _ = try await fixture.store().recover()
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: fixture.path("current")) == segment)
  }

  @Test func goesOnWithoutFinishedSegments() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 500
    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store())
    let names = try fixture.segmentNames()
    try #require(names.count > 3)
    for name in names.dropLast() { try #require(unlink(fixture.path(name)) == 0) }
    let recovery = try await fixture.drain(SimulatedBox(total: 33, overlap: 0), into: fixture.store())
    #expect(recovery.notes.isEmpty && recovery.ordinal == 30)
    #expect(try fixture.verify().problem == nil)
  }
}
