import BoxEvents
import Glibc
import TestDisks
import Testing

@testable import Spool

/// A backup of the spool is restored, and then an older one, before an event has come: two gaps, and all is read again.
struct RestoredTwiceTests {
  private let segment = SegmentName.text(0)

  private func files(_ fixture: SpoolFixture) throws -> [(name: String, bytes: [UInt8])] {
    try fixture.segmentNames().map { ($0, try fixture.read(fixture.path($0))) }
  }

  private func restore(_ files: [(name: String, bytes: [UInt8])], in fixture: SpoolFixture) throws {
    for name in try fixture.segmentNames() { try #require(unlink(fixture.path(name)) == 0) }
    for (name, bytes) in files { try fixture.write(bytes, to: fixture.path(name)) }
  }

  /// What the daemon does with the first backup before the second comes.
  enum Between: CaseIterable { case nothing, restarts, readsOn, catchesUp }

  @Test(arguments: [700, 1 << 20], Between.allCases)
  func bothAreGaps(segmentSize: Int, between: Between) async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = segmentSize
    var backups: [[(name: String, bytes: [UInt8])]] = []
    for total in [4, 12, 30] {
      try await fixture.drain(SimulatedBox(total: total), into: fixture.store())
      backups.append(try files(fixture))
    }
    try restore(backups[1], in: fixture)
    #expect(try await fixture.store().recover().gaps.map(\.cause) == [.spoolShortened])
    switch between {
    case .nothing: break
    case .restarts: #expect(try await fixture.store(boot: "boot-2").recover().gaps == [])
    case .readsOn: try await readOn(fixture)
    case .catchesUp: try await fixture.drain(SimulatedBox(total: 12, overlap: 0), into: fixture.store())
    }
    #expect(try fixture.record()?.accepted != nil)

    try restore(backups[0], in: fixture)
    let recovery = try await fixture.store().recover()
    #expect(recovery.gaps.map(\.cause) == [.spoolShortened] && recovery.recordedGaps == 2)
    #expect(recovery.ordinal == 30)
    let again = try await fixture.store().recover()
    #expect(again.gaps == [] && again.notes == [] && again.recordedGaps == 2)

    try await fixture.drain(SimulatedBox(total: 33, overlap: 0), into: fixture.store())
    let lines = try fixture.lines()
    #expect(lines.count == 33 && Set(lines) == Set((0..<33).map { SimulatedBox.line($0) }))
    #expect(try fixture.verify().problem == nil)
    #expect(try fixture.record()?.accepted == nil)
  }

  /// The position passes events that are in the first backup, and the stream isn't caught up.
  private func readOn(_ fixture: SpoolFixture) async throws {
    let store = try fixture.store()
    var checkpoint = try #require(try await store.recover().checkpoint)
    let box = SimulatedBox(total: 12, overlap: 0)
    while box.index(checkpoint.position) < 12 {
      let page = try box.page(from: checkpoint.position)
      let batch = try await store.deduplicate(page, readFrom: checkpoint.position)
      try #require(batch.new == [])
      checkpoint.position = .at(try #require(page.nextPosition))
      try await store.save(checkpoint)
    }
    await store.close()
  }

  /// A better backup is restored, then the first one again.
  @Test func newerThenOlder() async throws {
    let fixture = try SpoolFixture()
    var backups: [[(name: String, bytes: [UInt8])]] = []
    for total in [4, 12, 30] {
      try await fixture.drain(SimulatedBox(total: total), into: fixture.store())
      backups.append(try files(fixture))
    }
    for (backup, gaps) in [(0, 1), (1, 1), (0, 2)] {
      try restore(backups[backup], in: fixture)
      let recovery = try await fixture.store().recover()
      #expect(recovery.gaps.count == (backup == 1 ? 0 : 1), "\(backup), \(gaps)")
    }
    try await fixture.drain(SimulatedBox(total: 33, overlap: 0), into: fixture.store())
    #expect(try Set(fixture.lines()) == Set((0..<33).map { SimulatedBox.line($0) }))
  }

  /// A crash has left the next segment without an event.
  @Test(arguments: [false, true]) func afterAnEmptySegment(isFinishedDeleted: Bool) async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    let size = try fixture.read(fixture.path(segment)).count
    try fixture.write([], to: fixture.path(SegmentName.text(12)))
    #expect(try await fixture.store().recover().gaps == [])
    #expect(try fixture.record()?.accepted == SpoolEnd(segment: 0, offset: size))
    if isFinishedDeleted {
      try #require(unlink(fixture.path(segment)) == 0)
      #expect(try await fixture.store().recover().gaps == [])
    } else {
      try #require(unlink(fixture.path(SegmentName.text(12))) == 0)
      #expect(try await fixture.store().recover().gaps == [])
      try #require(truncate(fixture.path(segment), off_t(size / 2)) == 0)
      let recovery = try await fixture.store().recover()
      #expect(recovery.gaps.map(\.cause) == [.spoolShortened])
      #expect(recovery.checkpoint?.position == .oldest)
    }
  }

  // MARK: Crashes

  /// Cuts the only segment to some lines, on the medium.
  private func shorten(to lines: Int, _ fixture: SpoolFixture, _ memory: MemoryDisk) throws {
    let root = try fixture.place(on: memory).spoolRoot
    let spool = try #require(try root.subdirectory("default"))
    let file = try #require(try spool.file(segment, writing: true))
    defer { memory.kill() }
    var count = 0
    let end = try file.forEachLine(in: 0..<file.size()) { _, _ in
      count += 1
      return count <= lines
    }
    try file.truncate(to: end)
    try file.synchronize()
  }

  /// The process or the machine stops at every call of each recovery: each loss is one gap.
  @Test(arguments: [FaultyDisk.Fault.diesBefore, .diesAfter, .diesHalfway], [false, true])
  func endsAtEveryCall(_ fault: FaultyDisk.Fault, isPowerCut: Bool) async throws {
    let box = SimulatedBox(total: 23)
    var call = 0
    var isStruck = true
    while isStruck {
      call += 1
      isStruck = false
      let (memory, fixture) = (MemoryDisk(), SpoolFixture(memory: ()))
      try await fixture.drain(box, into: fixture.store(on: memory))
      memory.kill()
      for (gaps, lines) in [(1, 12), (2, 4), (3, 0)] {
        try shorten(to: lines, fixture, memory)
        let disk = FaultyDisk(memory, fault, at: call)
        _ = try? await fixture.store(on: disk).recover()
        isStruck = isStruck || disk.calls >= call
        if isPowerCut { memory.losePower(seed: UInt64(call)) } else { memory.kill() }
        for boot in ["boot-2", "boot-3"] {
          let recovery = try await fixture.store(on: memory, boot: boot).recover()
          #expect(recovery.recordedGaps == gaps, "\(fault) at \(call), \(lines) lines")
          #expect(recovery.checkpoint?.position == .oldest, "\(fault) at \(call), \(lines) lines")
          memory.kill()
        }
      }
      try await fixture.drain(box, into: fixture.store(on: memory))
      #expect(try fixture.lines(on: memory) == (0..<23).map { SimulatedBox.line($0) }, "\(fault) at \(call)")
    }
  }
}
