import BoxEvents
import FoundationEssentials
import Glibc
import TestDisks
import Testing

@testable import Spool

struct StreamSpoolTests: EventStoreFixture {
  @Test func commitsVerbatimAndCounts() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    let lines = [#"{"event_id":"a", "x" : 1.2318237429383e+31}"#, #"{"b":"ü\u0000","event_id":7}"#]
    let done = try await commit(lines, to: store)
    let size = lines.reduce(0) { $0 + $1.utf8.count + 1 }
    #expect(done == Committed(events: 2, bytes: size, ordinal: 2))
    #expect(try fixture.lines() == lines)
    #expect(try fixture.record()?.offset == size)
    #expect(try fixture.record()?.position == checkpoint.position)
  }

  @Test func deduplicatesKnownAndRepeatedEvents() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    let first = #"{"event_id":"a","v":1}"#
    _ = try await commit([first], to: store)
    let again = try page([#"{"event_id":"a","v":2}"#, #"{"event_id":"b"}"#, #"{"event_id":"b","v":2}"#])
    let batch = try await store.deduplicate(again, readFrom: .oldest)
    #expect(batch.new == [1])
    #expect(batch.duplicates == 2)
    _ = try await store.commit(batch, at: checkpoint)
    #expect(try fixture.lines() == [first, #"{"event_id":"b"}"#])
    // A batch deduplicated before that commit brings nothing twice.
    #expect(try await store.commit(batch, at: checkpoint).events == 0)
  }

  @Test func quarantinesOnce() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    let odd = try page([#""odd \"entry\"""#, #"{"event_id":"a"}"#, #""odd \"entry\"""#])
    let batch = try await store.deduplicate(odd, readFrom: .oldest)
    #expect(batch.newRejects == [0])
    _ = try await store.commit(batch, at: checkpoint)
    #expect(try await store.deduplicate(odd, readFrom: .oldest).newRejects == [])
    await store.close()
    let next = try fixture.store()
    _ = try await next.recover()
    #expect(try await next.deduplicate(odd, readFrom: .oldest).newRejects == [])
    let text = String(decoding: try fixture.read(fixture.path("quarantine.ndjson")), as: UTF8.self)
    #expect(text.split(separator: "\n").count == 1)
    let document = try #require(JSONDocument(Array(text.utf8)))
    #expect(document["entry"].text == #""odd \"entry\"""#)
    #expect(document["read_from"].text == "0")
    #expect(document["reason"].text == "not an object")
    #expect(document["sha256"].text?.count == 64)
  }

  @Test func quarantinesBytesThatAreNotText() throws {
    let line = QuarantineLine.line([0xFF, 0x00, 0x41], reason: "x", readFrom: .now, time: 0)
    #expect(JSONDocument(line)?["entry_base64"].text == "/wBB")
  }

  @Test func rotatesBySizeAgeAndNotTooSoon() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 10
    let store = try await begun(fixture)
    _ = try await commit([#"{"event_id":"a"}"#], to: store)
    _ = try await commit([#"{"event_id":"b"}"#], to: store)
    #expect(try fixture.segmentNames().count == 1)
    fixture.clock.advance(10)
    _ = try await commit([#"{"event_id":"c"}"#], to: store)
    #expect(
      try fixture.segmentNames() == ["events-0000000000000000.ndjson", "events-0000000000000002.ndjson"])
    let current = try FileManager.default.destinationOfSymbolicLink(atPath: fixture.path("current"))
    #expect(current == "events-0000000000000002.ndjson")
    let lines = String(decoding: try fixture.read(fixture.path("segments.ndjson")), as: UTF8.self)
    #expect(lines.split(separator: "\n").count == 3)

    let old = try SpoolFixture()
    let slow = try await begun(old)
    _ = try await commit([#"{"event_id":"a"}"#], to: slow)
    old.clock.advance(86_400)
    try await slow.save(checkpoint)
    #expect(try old.segmentNames().count == 1)
    _ = try await commit([#"{"event_id":"b"}"#], to: slow)
    #expect(try old.segmentNames().count == 2)
  }

  @Test func deletesOldestFinishedSegments() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 500
    fixture.limits.maxSize = 1500
    try await fixture.drain(SimulatedBox(total: 60), into: fixture.store())
    fixture.clock.advance(61)
    let store = try fixture.store()
    let recovery = try await store.recover()
    try await store.save(try #require(recovery.checkpoint))
    let names = try fixture.segmentNames()
    let size = try names.reduce(0) { try $0 + fixture.read(fixture.path($1)).count }
    #expect(size <= 1500 && !names.isEmpty)
    #expect(try fixture.verify().problem == nil)
    // Everything is too old, but the newest stays.
    let aged = try SpoolFixture()
    aged.limits.segmentSize = 500
    aged.limits.maxAge = .seconds(1)
    try await aged.drain(SimulatedBox(total: 60), into: aged.store())
    let later = try aged.store()
    var checkpoint = try #require(try await later.recover().checkpoint)
    checkpoint.confirmedAt = BoxTime(secondsSince1970: 4_000_000_000)
    try await later.save(checkpoint)
    #expect(try aged.segmentNames().count == 1)
  }

  @Test func knowsOnlyTheNewestEvents() async throws {
    let fixture = try SpoolFixture()
    (fixture.limits.knownEvents, fixture.limits.knownPeriod) = (10, .zero)
    try await fixture.drain(SimulatedBox(total: 50), into: fixture.store())
    let store = try fixture.store()
    _ = try await store.recover()
    let all = try page((0..<50).map { SimulatedBox.line($0) })
    #expect(try await store.deduplicate(all, readFrom: .oldest).new == Array(0..<40))
    // A save lets the ids rest; the next page brings them back from the spool.
    try await store.save(checkpoint)
    #expect(try await store.deduplicate(all, readFrom: .oldest).new == Array(0..<40))
  }

  @Test func recordsGaps() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    try await store.record(
      Gap(
        cause: .retention, from: .oldest, to: .now, since: BoxTime(secondsSince1970: 0),
        until: BoxTime(secondsSince1970: 951_782_400)))
    let line = String(decoding: try fixture.read(fixture.path("gaps.ndjson")), as: UTF8.self)
    #expect(
      line.hasSuffix(
        #""cause":"retention","ordinal":0,"from":"0","to":"now","since":"1970-01-01T00:00:00Z","until":"2000-02-29T00:00:00Z"}"#
          + "\n"))
  }

  @Test func requiresFreeSpace() async throws {
    let (disk, fixture) = (FillableDisk(MemoryDisk()), SpoolFixture(memory: ()))
    let store = try fixture.store(on: disk)
    _ = try await store.recover()
    try await store.requireFreeSpace()
    disk.isFull = true
    for _ in 0..<2 {
      let failure = await #expect(throws: StoreFailure.self) { try await store.requireFreeSpace() }
      #expect(failure?.code == .noSpace)
      #expect(
        failure?.message == "less than keep_free (256 MiB) is left on the disk of /spool: 0 bytes")
    }
    disk.isFull = false
    try await store.requireFreeSpace()
    // On a real disk too.
    let real = try SpoolFixture()
    real.limits.keepFree = .max
    let full = try real.store()
    _ = try await full.recover()
    await #expect(throws: StoreFailure.self) { try await full.requireFreeSpace() }
  }

  @Test func failedSyncIsFinal() async throws {
    let memory = MemoryDisk()
    let fixture = SpoolFixture(memory: ())
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store(on: memory))
    let quiet = FaultyDisk(memory)
    _ = try await fixture.store(on: quiet).recover()
    // The first changing call after recovery is the write of the event, the second its sync.
    let disk = FaultyDisk(memory, .ioError, at: quiet.calls + 2)
    let store = try fixture.store(on: disk)
    let recovery = try await store.recover()
    let box = SimulatedBox(total: 5, oddAfter: -1)
    let position = try #require(recovery.checkpoint?.position)
    let batch = try await store.deduplicate(box.page(from: position), readFrom: position)
    for _ in 0..<2 {
      let failure = await #expect(throws: StoreFailure.self) { try await store.commit(batch, at: checkpoint) }
      #expect(failure?.code == .io)
      #expect(failure?.errno == EIO)
      #expect(failure?.message.hasPrefix("cannot sync /spool/default/events-") == true)
    }
    #expect(disk.hasStruck)
  }

  /// The newest segment is deleted, emptied or added to by someone while the daemon writes it.
  @Test func goesOnAfterTheSegmentWasChanged() async throws {
    for tamper in ["delete", "empty", "append"] {
      let fixture = try SpoolFixture()
      let store = try await begun(fixture)
      _ = try await commit([#"{"event_id":"a"}"#], to: store)
      let path = fixture.path("events-0000000000000000.ndjson")
      switch tamper {
      case "delete": try #require(unlink(path) == 0)
      case "empty": try #require(truncate(path, 0) == 0)
      default: try fixture.append("not ours", to: path)
      }
      let told = try await commit([#"{"event_id":"b"}"#], to: store).gaps
      #expect(told.map(\.cause) == (tamper == "append" ? [] : [.spoolShortened]), "\(tamper)")
      #expect(try await commit([#"{"event_id":"c"}"#], to: store).gaps == [])
      let lines = try fixture.lines()
      #expect(
        lines == (tamper == "append" ? [#"{"event_id":"a"}"#] : []) + [
          #"{"event_id":"b"}"#, #"{"event_id":"c"}"#,
        ])
      #expect(try fixture.verify().problem == nil, "\(tamper)")
      let gaps = try? fixture.read(fixture.path("gaps.ndjson"))
      #expect((gaps == nil) == (tamper == "append"), "\(tamper)")
      _ = try await fixture.store().recover()
    }
  }

  /// A mistake of the program stops a debug build.
  @Test func stopsAtCallsThatDoNotFit() async {
    await #expect(processExitsWith: .failure) {
      let store = try? SpoolFixture(memory: ()).store(on: MemoryDisk())
      try? await store?.save(Checkpoint(position: .oldest))
    }
    await #expect(processExitsWith: .failure) {
      let store = try? SpoolFixture(memory: ()).store(on: MemoryDisk())
      _ = try? await store?.recover()
      try? await store?.save(Checkpoint(position: .oldest))
    }
  }

  @Test func namesAndModes() async throws {
    let fixture = try SpoolFixture()
    try #require(chmod(fixture.spoolPath, 0o2750) == 0)
    let store = try await begun(fixture)
    _ = try await commit([#"{"event_id":"a"}"#, "1"], to: store)
    func mode(_ path: String) -> UInt32 {
      var status = stat()
      return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }
    #expect(mode("\(fixture.spoolPath)/default") == 0o2750)
    #expect(mode("\(fixture.statePath)/default") == 0o700)
    #expect(mode(fixture.positionPath) == 0o600)
    for name in ["events-0000000000000000.ndjson", "segments.ndjson", "quarantine.ndjson"] {
      #expect(mode(fixture.path(name)) == 0o640, "\(name)")
    }
    #expect(try fixture.read(fixture.positionPath).count == 8192)
  }

  @Test func manyStreamsShareThreads() async throws {
    let fixture = try SpoolFixture()
    let threads = try DiskThreads(count: 2)
    let place = try fixture.place()
    try await withThrowingTaskGroup(of: UInt64.self) { group in
      for number in 0..<50 {
        var own = place
        own.name = "s\(number)"
        let store = StreamSpool(own, bootID: "b", clock: fixture.clock.clock, thread: threads.next())
        group.addTask {
          _ = try await store.recover()
          try await store.begin(at: Checkpoint(position: .oldest))
          let page = try EventPage(lines: [Array(#"{"event_id":1}"#.utf8)], nextPosition: nil)
          let batch = try await store.deduplicate(page, readFrom: .oldest)
          return try await store.commit(batch, at: Checkpoint(position: .oldest)).ordinal
        }
      }
      for try await ordinal in group { #expect(ordinal == 1) }
    }
  }
}
