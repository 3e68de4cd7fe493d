import BoxEvents
import FoundationEssentials
import Glibc
import Testing

@testable import Spool

/// The state or the spool comes from a backup, and the other one doesn't: the older one decides where to read again.
struct RestoredFilesTests {
  private let segment = SegmentName.text(0)
  private let caughtUpAt = BoxTime(secondsSince1970: 1_800_000_000)

  private func asides(_ fixture: SpoolFixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(fixture.statePath)/default")
      .filter { $0.hasPrefix("aside-") }
  }

  /// A spool of 30 events with the position file as it was after 6 of them.
  private func withOlderState() async throws -> SpoolFixture {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 6), into: fixture.store())
    let old = try fixture.read(fixture.positionPath)
    let store = try fixture.store()
    try await fixture.drain(SimulatedBox(total: 30), into: store)
    await store.close()
    try fixture.write(old, to: fixture.positionPath)
    return fixture
  }

  /// Readers have seen these lines; perhaps Box doesn't have them any more.
  @Test(arguments: ["boot-1", "boot-2", ""]) func olderStateCutsNothing(boot: String) async throws {
    let fixture = try await withOlderState()
    let bytes = try fixture.read(fixture.path(segment))
    let recovery = try await fixture.store(boot: boot).recover()
    #expect(recovery.ordinal == 30)
    #expect(recovery.checkpoint?.position == SimulatedBox(total: 6).position(6))
    #expect(try fixture.read(fixture.path(segment)) == bytes)
    #expect(try fixture.record()?.known == .since(6))
    try await fixture.drain(SimulatedBox(total: 33), into: fixture.store(boot: boot))
    try fixture.expectIntact(SimulatedBox(total: 33))
    #expect(try asides(fixture) == [])
  }

  /// The mark proves only what it covers.
  @Test func olderStateAndAnUnsyncedTail() async throws {
    let fixture = try await withOlderState()
    try fixture.append(SimulatedBox.line(30) + "\n", to: fixture.path(segment))
    #expect(try await fixture.store(boot: "boot-2").recover().ordinal == 30)
    #expect(try asides(fixture).count == 1)
    try await fixture.drain(SimulatedBox(total: 33), into: fixture.store(boot: "boot-2"))
    try fixture.expectIntact(SimulatedBox(total: 33))
  }

  /// The record was written when a segment had just ended, and the next one is the newest.
  @Test func olderStateBeforeTheNewestSegment() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 500
    try await fixture.drain(SimulatedBox(total: 5), into: fixture.store())
    let old = try fixture.read(fixture.positionPath)
    try await fixture.drain(SimulatedBox(total: 10), into: fixture.store())
    try #require(try fixture.segmentNames() == [segment, SegmentName.text(5)])
    try fixture.write(old, to: fixture.positionPath)
    let recovery = try await fixture.store(boot: "boot-2").recover()
    #expect(recovery.ordinal == 10)
    #expect(recovery.checkpoint?.position == SimulatedBox(total: 5).position(5))
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store(boot: "boot-2"))
    try fixture.expectIntact(SimulatedBox(total: 12))
  }

  /// A mark that is corrupt, or counts other lines, proves nothing: those lines are fetched again.
  @Test(arguments: ["junk", "other"]) func aMarkThatProvesNothing(_ kind: String) async throws {
    let fixture = try await withOlderState()
    if kind == "junk" {
      try fixture.write(Array("junk".utf8), to: fixture.path(DurableMark.fileName))
    } else {
      let root = try fixture.place().spoolRoot
      let spool = try #require(try root.subdirectory("default"))
      defer { for directory in [root, spool] { directory.close() } }
      let mark = try #require(try DurableMark.read(in: spool))
      try DurableMark(segment: 0, offset: mark.offset, ordinal: mark.ordinal + 1).write(in: spool)
    }
    #expect(try await fixture.store(boot: "boot-2").recover().ordinal == 6)
    try await fixture.drain(SimulatedBox(total: 33), into: fixture.store(boot: "boot-2"))
    try fixture.expectIntact(SimulatedBox(total: 33))
  }

  /// With or without its list of segments; in one segment, or with the newest ones missing.
  @Test(arguments: [700, 1 << 20], [false, true])
  func olderSpoolIsReadAgain(segmentSize: Int, isLogRestored: Bool) async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = segmentSize
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    var backup = try fixture.segmentNames()
    if isLogRestored { backup.append("segments.ndjson") }
    let contents = try backup.map { try fixture.read(fixture.path($0)) }
    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store())
    for name in try fixture.segmentNames() { try #require(unlink(fixture.path(name)) == 0) }
    for (name, bytes) in zip(backup, contents) { try fixture.write(bytes, to: fixture.path(name)) }

    let recovery = try await fixture.store().recover()
    #expect(recovery.ordinal == 30)
    let gap = try #require(recovery.gaps.first)
    #expect(recovery.gaps.count == 1 && gap.cause == .spoolShortened)
    #expect(gap.from == recovery.checkpoint?.position && gap.from != gap.to)
    #expect(gap.to == SimulatedBox(total: 30).position(30))
    #expect(gap.since == (segmentSize == 700 ? caughtUpAt : nil) && gap.until != nil)

    try await fixture.drain(SimulatedBox(total: 33, overlap: 0), into: fixture.store())
    let lines = try fixture.lines()
    #expect(lines.count == 33 && Set(lines) == Set((0..<33).map { SimulatedBox.line($0) }))
    #expect(try fixture.verify().problem == nil)
  }

  /// known_ids of a state that is older than the spool may name events that the spool doesn't have.
  @Test func idsOfAnOlderStateAreNotKnown() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    let spool = try fixture.segmentNames().map { ($0, try fixture.read(fixture.path($0))) }
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    let known = "\(fixture.positionPath.dropLast("stream_position".count))known_ids"
    let state = [fixture.positionPath, known].map { ($0, try? fixture.read($0)) }
    try await fixture.drain(SimulatedBox(total: 20), into: fixture.store())
    for name in try fixture.segmentNames() { try #require(unlink(fixture.path(name)) == 0) }
    for (name, bytes) in spool { try fixture.write(bytes, to: fixture.path(name)) }
    try await fixture.drain(SimulatedBox(total: 6, overlap: 0), into: fixture.store())
    for (path, bytes) in state { try fixture.write(try #require(bytes), to: path) }
    try await fixture.drain(SimulatedBox(total: 33, overlap: 0), into: fixture.store())
    let lines = try fixture.lines()
    #expect(Set(lines) == Set((0..<33).map { SimulatedBox.line($0) }))
  }

  /// An operator has chosen where to read on.
  @Test func olderSpoolKeepsAMovedPosition() async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    _ = try fixture.stopped().set(to: .now)
    try #require(truncate(fixture.path(segment), 0) == 0)
    #expect(try await fixture.store().recover().checkpoint?.position == .now)
  }
}
