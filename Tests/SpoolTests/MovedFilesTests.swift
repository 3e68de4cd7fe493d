import BoxEvents
import FoundationEssentials
import Glibc
import TestDisks
import Testing

@testable import Spool

/// What the daemon writes is moved away by someone, as logrotate does, while it runs.
struct MovedFilesTests: EventStoreFixture {
  private let events = ["a", "b", "c", "d"].map { #"{"event_id":"\#($0)"}"# }

  /// What has taken the name of the moved segment.
  enum Successor: CaseIterable { case none, empty, sameSize }

  private func move(_ path: String) throws { try #require(rename(path, path + ".1") == 0) }

  /// Opens the spool as the next run does, and returns the gaps that it finds.
  private func gapsOfARestart(_ fixture: SpoolFixture, on disk: any Disk = LocalDisk()) async throws -> [Gap]
  {
    let store = try fixture.store(on: disk)
    let gaps = try await store.recover().gaps
    await store.close()
    return gaps
  }

  @Test(arguments: Successor.allCases, [false, true])
  func segment(_ successor: Successor, rests: Bool) async throws {
    let fixture = try SpoolFixture()
    fixture.rests = rests
    let store = try await begun(fixture)
    try await commit([events[0]], to: store)
    let path = fixture.path(SegmentName.text(0))
    let bytes = try fixture.read(path)
    try move(path)
    switch successor {
    case .none: break
    case .empty: try fixture.write([], to: path)
    case .sameSize: try fixture.write(bytes, to: path)
    }
    #expect(try await commit([events[1]], to: store).gaps.map(\.cause) == [.spoolShortened])
    #expect(try await commit([events[2]], to: store).gaps == [])
    #expect(try fixture.read(path + ".1") == bytes)
    #expect(try fixture.read(fixture.path(SegmentName.text(1))).count == 2 * (events[1].utf8.count + 1))
    #expect(try fixture.read(fixture.path("current")) == fixture.read(fixture.path(SegmentName.text(1))))
    await store.close()
    #expect(try await gapsOfARestart(fixture) == [])
    if successor != .sameSize { #expect(try fixture.verify().problem == nil) }
  }

  /// Another program has inserted bytes before the end: nothing of the segment is overwritten or cut off.
  @Test(arguments: ["{}", "{}\n"], [false, true])
  func insertedBytes(_ text: String, isAfterARestart: Bool) async throws {
    let fixture = try SpoolFixture()
    var store = try await begun(fixture)
    try await commit([events[0]], to: store)
    if isAfterARestart {
      await store.close()
      store = try fixture.store()
      _ = try await store.recover()
    }
    let path = fixture.path(SegmentName.text(0))
    let bytes = Array(text.utf8) + (try fixture.read(path))
    try fixture.write(bytes, to: path)
    let gaps = try await commit([events[1]], to: store).gaps.map(\.cause)
    // After a restart the end isn't known, but it is that of a line.
    #expect(gaps == [.spoolShortened])
    #expect(try fixture.read(path) == bytes)
    #expect(try fixture.read(fixture.path(SegmentName.text(1))).count == events[1].utf8.count + 1)
    await store.close()
  }

  @Test func segmentOnTheSimulatedDisk() async throws {
    let (memory, fixture) = (MemoryDisk(), SpoolFixture(memory: ()))
    let store = try await begun(fixture, on: memory)
    try await commit([events[0]], to: store)
    let directory = try #require(memory.image.find("default", in: DiskImage.spoolRoot, durable: false))
    memory.image.move(SegmentName.text(0), in: directory, to: "moved")
    #expect(try await commit([events[1]], to: store).gaps.map(\.cause) == [.spoolShortened])
    #expect(try fixture.lines(on: memory) == [events[1]])
  }

  /// The events of a moved segment are known all the same, also to the next run.
  @Test func idsOfAMovedSegment() async throws {
    let fixture = try SpoolFixture()
    var store = try await begun(fixture)
    try await commit([events[0]], to: store)
    try move(fixture.path(SegmentName.text(0)))
    try await commit([events[0], events[1]], to: store)
    await store.close()
    store = try fixture.store()
    _ = try await store.recover()
    #expect(try await store.deduplicate(page(Array(events[0...2])), readFrom: .oldest).new == [2])
  }

  /// A segment that has no event yet: nothing is missing.
  @Test func emptySegment() async throws {
    let fixture = try SpoolFixture()
    var store = try await begun(fixture)
    try await commit([events[0]], to: store)
    await store.close()
    let empty = fixture.path(SegmentName.text(1))
    try fixture.write([], to: empty)
    store = try fixture.store()
    _ = try await store.recover()
    try move(empty)
    #expect(try await commit([events[1]], to: store).gaps == [])
    #expect(try fixture.lines() == [events[0], events[1]])
    await store.close()
    #expect(try await gapsOfARestart(fixture) == [])
  }

  @Test(arguments: [false, true]) func directory(ofState: Bool) async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    try await commit([events[0], "1"], to: store)
    let folder = "\(ofState ? fixture.statePath : fixture.spoolPath)/default"
    try move(folder)
    let done = try await commit([events[1], "2"], to: store)
    #expect(done.gaps.map(\.cause) == [ofState ? .stateLost : .spoolShortened])
    #expect(done.events == 1)
    #expect(try fixture.lines() == (ofState ? [events[0], events[1]] : [events[1]]))
    let quarantine = try fixture.read(fixture.path("quarantine.ndjson")).split(separator: 0x0A)
    #expect(quarantine.count == (ofState ? 2 : 1))
    #expect(try await commit([events[2]], to: store).gaps == [])
    await store.close()
    #expect(try await gapsOfARestart(fixture) == [])
    #expect(try fixture.verify().problem == nil)
  }

  /// What has taken the place of a moved root: it comes a call later, or with the old name again.
  enum NewRoot: CaseIterable { case empty, later, old }

  @Test(arguments: NewRoot.allCases, [false, true]) func root(_ new: NewRoot, ofState: Bool) async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    try await commit([events[0]], to: store)
    let path = ofState ? fixture.statePath : fixture.spoolPath
    try move(path)
    let batch = try await store.deduplicate(page([events[1]]), readFrom: .oldest)
    if new == .empty {
      try #require(mkdir(path, 0o700) == 0)
    } else {
      let failure = await #expect(throws: StoreFailure.self) {
        try await store.commit(batch, at: checkpoint)
      }
      #expect(failure?.code == .noSpace && failure?.isOfRoot == true)
      #expect(failure?.message == "\(path) was moved or deleted while the daemon runs")
      try #require(new == .later ? mkdir(path, 0o700) == 0 : rename(path + ".1", path) == 0)
    }
    let done = try await store.commit(batch, at: checkpoint)
    #expect(done.events == 1)
    #expect(done.gaps.map(\.cause) == (new == .old ? [] : [ofState ? .stateLost : .spoolShortened]))
    #expect(
      try fixture.lines() == (new == .old || ofState ? [events[0], events[1]] : [events[1]]), "\(new)")
    #expect(try await commit([events[2]], to: store).gaps == [])
    await store.close()
    #expect(try await gapsOfARestart(fixture) == [])
    #expect(try fixture.verify().problem == nil)
  }

  /// Two streams of the same root: the second one finds it replaced by the first.
  @Test func rootOfTwoStreams() async throws {
    let (memory, fixture) = (MemoryDisk(), SpoolFixture(memory: ()))
    let place = try fixture.place(on: memory)
    try place.spoolRoot.lock(processID: 1)
    var stores: [StreamSpool] = []
    for name in ["default", "second"] {
      var location = place
      location.name = name
      let store = StreamSpool(
        location, bootID: "boot-1", clock: fixture.clock.clock, thread: try #require(SpoolFixture.thread))
      _ = try await store.recover()
      try await store.begin(at: Checkpoint(position: .oldest))
      try await commit([events[0]], to: store)
      stores.append(store)
    }
    let handles = memory.openHandles
    memory.image.moveRoot("/spool")
    for store in stores {
      #expect(try await commit([events[1]], to: store).gaps.map(\.cause) == [.spoolShortened])
      #expect(try await commit([events[2]], to: store).gaps == [])
    }
    #expect(try fixture.lines(on: memory) == [events[1], events[2]])
    #expect(memory.openHandles == handles && memory.strayCloses == 0)
    // The lock has moved along.
    let new = try DiskDirectory.root("/spool", on: memory, access: .shared)
    #expect(throws: StoreFailure.self) { try new.lock(processID: 2) }
    place.spoolRoot.close()
    try new.lock(processID: 2)
  }

  /// Another user's directory, as `mkdir` of root leaves it, is not taken, and no reason to stop.
  @Test func rootOfAnother() async throws {
    let (memory, fixture) = (MemoryDisk(), SpoolFixture(memory: ()))
    let place = try fixture.place(on: memory)
    memory.image.moveRoot("/spool", mode: 0o777)
    let failure = #expect(throws: StoreFailure.self) { try place.spoolRoot.follow() }
    #expect(failure?.code == .noSpace && failure?.isOfRoot == true)
    memory.image.moveRoot("/spool")
    try place.spoolRoot.follow()
    #expect(try place.spoolRoot.names() == [])
  }

  /// Deleted, or an old one is put back: the record in memory is the newer one.
  @Test(arguments: [false, true]) func positionFile(isReplaced: Bool) async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    let old = try fixture.read(fixture.positionPath)
    try await commit([events[0]], to: store)
    try move(fixture.positionPath)
    if isReplaced { try fixture.write(old, to: fixture.positionPath) }
    try await commit([events[1]], to: store)
    await store.close()
    #expect(try fixture.record()?.ordinal == 2)
    #expect(try await gapsOfARestart(fixture) == [])
    #expect(try fixture.lines() == [events[0], events[1]])
  }

  @Test func link() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    try await commit([events[0]], to: store)
    let (link, target) = (fixture.path("current"), SegmentName.text(0))
    try #require(unlink(link) == 0)
    try await commit([events[1]], to: store)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
    try #require(unlink(link) == 0 && symlink("/etc/passwd", link) == 0)
    // Also by a commit without events.
    try await commit(["1"], to: store)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
  }

  /// Files that are opened for each line.
  @Test func quarantineAndGaps() async throws {
    let fixture = try SpoolFixture()
    let store = try await begun(fixture)
    try await commit(["1"], to: store)
    try await store.record(Gap(cause: .retention, from: .oldest, to: .now))
    for name in ["quarantine.ndjson", "gaps.ndjson"] { try move(fixture.path(name)) }
    try await commit(["2"], to: store)
    try await store.record(Gap(cause: .stateLost, from: .oldest, to: .now))
    for name in ["quarantine.ndjson", "gaps.ndjson"] {
      #expect(try fixture.read(fixture.path(name)).split(separator: 0x0A).count == 1, "\(name)")
    }
  }
}
