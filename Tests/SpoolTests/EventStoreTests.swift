import BoxEvents
import FoundationEssentials
import Glibc
import TestDisks
import Testing

@testable import Spool

/// What a store does on the way: in which order, how often, and what it keeps in mind.
struct EventStoreTests: EventStoreFixture {
  @Test func quarantinesInTheOrderServed() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    _ = try await commit(["1", "2", "\"three\"", "[4]"], to: store)
    let lines = try fixture.read(fixture.path("quarantine.ndjson")).split(separator: 0x0A)
    #expect(lines.map { JSONDocument(Array($0))?["entry"].text } == ["1", "2", "\"three\"", "[4]"])
  }

  /// No caller needs a saved position to be durable, and thousands of streams save theirs.
  @Test func savesAPositionWithOneWriteAndNoSync() async throws {
    let fixture = SpoolFixture(memory: ())
    let disk = FaultyDisk(MemoryDisk())
    let store = try await begun(fixture, on: disk)
    _ = try await commit([#"{"event_id":"a"}"#], to: store)
    let before = disk.calls
    try await store.save(checkpoint)
    #expect(disk.calls == before + 1)
  }

  @Test func dropsCachesOfAQuietStream() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    _ = try await commit([#"{"event_id":"a"}"#, "1"], to: store)
    #expect(await store.open?.window != nil)
    try await store.save(checkpoint)
    #expect(await store.open?.window == nil)
    #expect(await store.open?.knownRejects == nil)
    #expect(try await store.deduplicate(page([#"{"event_id":"a"}"#, "1"]), readFrom: .oldest).new == [])
  }

  @Test func movesForeignBytesAside() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    _ = try await commit([#"{"event_id":"a"}"#], to: store)
    let path = fixture.path(SegmentName.text(0))
    try fixture.append(String(repeating: "not ours, and long. ", count: 100) + "\n", to: path)
    _ = try await commit([#"{"event_id":"b"}"#], to: store)
    #expect(try fixture.lines() == [#"{"event_id":"a"}"#, #"{"event_id":"b"}"#])
    #expect(try fixture.verify().problem == nil)
  }

  /// The same position may come with another page: what waits for free space is finished first.
  @Test func finishesAPendingBatchBeforeAnother() async throws {
    for at in 1...12 {
      let memory = MemoryDisk()
      let fixture = SpoolFixture(memory: ())
      let quiet = FaultyDisk(memory)
      var store = try await begun(fixture, on: quiet)
      await store.close()
      memory.kill()
      let recovering = FaultyDisk(memory)
      _ = try await fixture.store(on: recovering).recover()
      memory.kill()
      let disk = FaultyDisk(memory, .noSpace, at: recovering.calls + at)
      store = try fixture.store(on: disk)
      _ = try await store.recover()
      let first = try await store.deduplicate(page([#"{"event_id":"a"}"#]), readFrom: .oldest)
      do { _ = try await store.commit(first, at: checkpoint) } catch {
        guard error.code == .noSpace else { continue }
        let second = try await store.deduplicate(
          page([#"{"event_id":"b"}"#, #"{"event_id":"c"}"#]), readFrom: .oldest)
        _ = try await store.commit(second, at: checkpoint)
        let ids = ["a", "b", "c"].map { #"{"event_id":"\#($0)"}"# }
        #expect(try fixture.lines(on: memory) == ids, "\(at)")
      }
    }
  }

  /// Also where the commit that found it is finished by another call.
  @Test func reportsAGapAfterAFullDisk() async throws {
    var waits = 0
    for at in 1...30 {
      let fixture = try SpoolFixture()
      var store = try await begun(fixture)
      _ = try await commit([#"{"event_id":"a"}"#], to: store)
      await store.close()
      let recovering = FaultyDisk(LocalDisk())
      store = try fixture.store(on: recovering)
      _ = try await store.recover()
      await store.close()
      store = try fixture.store(on: FaultyDisk(LocalDisk(), .noSpace, at: recovering.calls + at))
      _ = try await store.recover()
      try #require(unlink(fixture.path(SegmentName.text(0))) == 0)
      let batch = try await store.deduplicate(page([#"{"event_id":"b"}"#]), readFrom: .oldest)
      var told: [Gap] = []
      do { told += try await store.commit(batch, at: checkpoint).gaps } catch {
        guard error.code == .noSpace else { continue }
        waits += 1
        try await store.save(checkpoint)
      }
      let next = try await store.deduplicate(page([#"{"event_id":"c"}"#]), readFrom: .oldest)
      let (last, checkpoint) = (store, checkpoint)
      told += try await fixture.retrying { () async throws(StoreFailure) in
        try await last.commit(next, at: checkpoint)
      }.gaps
      #expect(told.map(\.cause) == [.spoolShortened], "\(at)")
    }
    #expect(waits > 3)
  }

  @Test func countsASegmentsAgeOverARestart() async throws {
    let fixture = try SpoolFixture()
    _ = try await commit([#"{"event_id":"a"}"#], to: begun(fixture))
    fixture.clock.advance(80_000)
    let store = try fixture.store()
    _ = try await store.recover()
    fixture.clock.advance(10_000)
    _ = try await commit([#"{"event_id":"b"}"#], to: store)
    #expect(try fixture.segmentNames().count == 2)
  }

  /// A crash between the two: a segment that has its name and no event.
  @Test func usesAnEmptySegmentLeftByACrash() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 1
    var store = try await begun(fixture)
    _ = try await commit([#"{"event_id":"a"}"#], to: store)
    await store.close()
    let empty = fixture.path(SegmentName.text(1))
    try fixture.write([], to: empty)
    try #require(chmod(empty, 0o640) == 0)
    fixture.clock.advance(100_000)
    store = try fixture.store()
    _ = try await store.recover()
    fixture.clock.advance(100_000)
    _ = try await commit([#"{"event_id":"b"}"#], to: store)
    #expect(try fixture.lines().count == 2)
    #expect(try fixture.verify().problem == nil)
  }

  @Test(arguments: ["boot\nposition: 1", "boot: x", " ", "ä\u{0}", String(repeating: "b", count: 5000)])
  func sanitizesBootIDs(boot: String) async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture, boot: boot)
    _ = try await commit([#"{"event_id":"a"}"#], to: store)
    #expect(try fixture.record()?.ordinal == 1)
  }

  @Test func keepsOnlyTheNewestAsides() async throws {
    let fixture = try SpoolFixture()
    _ = try await commit([#"{"event_id":"a"}"#], to: begun(fixture))
    for number in 0..<70 {
      try fixture.append("partial by power cut \(number)", to: fixture.path(SegmentName.text(0)))
      _ = try await fixture.store(boot: "boot-\(number + 2)").recover()
    }
    let aside = try FileManager.default.contentsOfDirectory(atPath: "\(fixture.statePath)/default")
      .filter { $0.hasPrefix("aside-") }
    #expect((60...65).contains(aside.count))
    let newest = try #require(aside.sorted().last)
    #expect(
      try fixture.read("\(fixture.statePath)/default/\(newest)") == Array("partial by power cut 69".utf8))
  }

  // MARK: Files of their own

  @Test func rejectsARecordWithAWrongChecksum() throws {
    let disk = MemoryDisk()
    let directory = try DiskDirectory.root("/state", on: disk, access: .own)
    var file = try TwoBlockFile(making: "pair", in: directory)
    try file.write("n: 1\n")
    try file.write("n: 2\n")
    let raw = try #require(try directory.file("pair", writing: true))
    let bytes = try raw.bytes(in: 0..<8192)
    let newest = try #require(bytes.firstRange(of: Array("n: 2".utf8)))
    try raw.write([UInt8(ascii: "7")], at: newest.upperBound - 1)
    #expect(try TwoBlockFile("pair", in: directory)?.content == "n: 1\n")
  }

  @Test func rejectsARecordThatItsOwnerCannotRead() throws {
    let directory = try DiskDirectory.root("/state", on: MemoryDisk(), access: .own)
    var file = try TwoBlockFile(making: "pair", in: directory)
    try file.write("good\n")
    try file.write("nonsense\n")
    #expect(try TwoBlockFile("pair", in: directory) { $0 == "good\n" }?.content == "good\n")
  }

  /// Two records that were not synced must not take the place of the one that was.
  @Test func neverOverwritesTheSyncedRecord() throws {
    let directory = try DiskDirectory.root("/state", on: MemoryDisk(), access: .own)
    var file = try TwoBlockFile(making: "pair", in: directory)
    try file.write("synced\n")
    for number in 0..<5 {
      try file.write("passing \(number)\n", durable: false)
      let raw = try #require(try directory.file("pair", writing: false)).bytes(in: 0..<8192)
      #expect(raw.firstRange(of: Array("\nsynced\n".utf8)) != nil)
      #expect(try TwoBlockFile("pair", in: directory)?.content == "passing \(number)\n")
    }
  }

  @Test func replacesALongerKnownIDsFile() throws {
    let directory = try DiskDirectory.root("/state", on: MemoryDisk(), access: .own)
    let passing = try directory.newFile(".known_ids")
    try passing.write(Array(String(repeating: "left by a crash\n", count: 1000).utf8), at: 0)
    let ids = [
      EventIdentity(high: 0, low: 1), EventIdentity(high: 0xF, low: .max), EventIdentity(high: .max, low: 0),
    ]
    try KnownIDs.write(ids, in: directory)
    #expect(try KnownIDs.read(in: directory) == ids)
  }

  @Test func rejectsKnownIDsWithAChangedDigit() throws {
    let directory = try DiskDirectory.root("/state", on: MemoryDisk(), access: .own)
    try KnownIDs.write([EventIdentity(high: 0, low: 1)], in: directory)
    let file = try #require(try directory.file("known_ids", writing: true))
    try file.write([UInt8(ascii: "f")], at: 3)
    #expect(try KnownIDs.read(in: directory).isEmpty)
  }

  @Test(arguments: [1 << 62, 1 << 62 + 1, Int.max])
  func rejectsRecordsOutOfRange(place: Int) {
    func record(offset: Int, ordinal: UInt64) -> PositionRecord {
      PositionRecord(
        checkpoint: checkpoint, ordinal: ordinal, segment: 0, offset: offset, boot: "b", feed: "f",
        known: .recent)
    }
    #expect(PositionRecord(parsing: record(offset: place, ordinal: 0).text) == nil)
    #expect(PositionRecord(parsing: record(offset: 0, ordinal: UInt64(place)).text) == nil)
    #expect(PositionRecord(parsing: record(offset: 1 << 61, ordinal: 1 << 61).text) != nil)
  }

  @Test func locksOnAFullDisk() throws {
    let memory = MemoryDisk()
    let quiet = FaultyDisk(memory)
    let directory = try DiskDirectory.root("/state", on: quiet, access: .own)
    try InstanceLock(directory, processID: 1).release()
    for at in 1...2 {
      let full = FaultyDisk(memory, .noSpace, at: at)
      try InstanceLock(DiskDirectory.root("/state", on: full, access: .own), processID: 2).release()
      #expect(full.hasStruck)
    }
  }
}
