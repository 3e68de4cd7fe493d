import BoxEvents
import FoundationEssentials
import Glibc
import TestDisks
import Testing

@testable import Spool

/// What the limits delete, and what they must leave.
struct RetentionLimitsTests {
  /// Fills segments and applies the limits once more, as much later as said.
  private func names(after seconds: Int64 = 61, _ limit: (inout SpoolLimits) -> Void) async throws -> [String]
  {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 500
    limit(&fixture.limits)
    try await fixture.drain(SimulatedBox(total: 60), into: fixture.store())
    // Files carry the system's time; the clock of the test goes on from there.
    fixture.clock.advance(Int64(time(nil)) - fixture.clock.clock.wallSeconds() + seconds)
    let store = try fixture.store()
    let checkpoint = try #require(try await store.recover().checkpoint)
    try await store.save(checkpoint)
    #expect(try fixture.verify().problem == nil)
    return try fixture.segmentNames()
  }

  @Test func keepsEverythingWithoutLimits() async throws {
    #expect(try await names(after: 1_000_000_000) { _ in }.count > 5)
  }

  @Test func limitsSizeAlone() async throws {
    #expect(try await names(after: 1_000_000_000) { $0.maxSize = 1 << 40 }.count > 5)
  }

  @Test func limitsAgeAlone() async throws {
    #expect(try await names { $0.maxAge = .seconds(100 * 365 * 86_400) }.count > 5)
  }

  // MARK: Age

  /// Box's time when the streams of these tests were seen caught up.
  private static let caughtUpAt: Int64 = 1_800_000_000

  /// A spool in memory of several segments, caught up when its files' clock showed a certain time.
  private func spooled(
    _ memory: MemoryDisk, events: Int = 60, at wallSeconds: Int64 = caughtUpAt
  ) async throws -> SpoolFixture {
    let fixture = SpoolFixture(memory: ())
    (fixture.limits.segmentSize, fixture.limits.maxAge) = (500, .seconds(3600))
    memory.wallSeconds = wallSeconds
    try await fixture.drain(SimulatedBox(total: events), into: fixture.store(on: memory))
    return fixture
  }

  private func segments(_ memory: MemoryDisk) -> Int { memory.image.segments(of: "default").count }

  /// A save like that of a stream which is caught up when Box's clock shows a time.
  private func save(_ store: StreamSpool, _ recovery: Recovery, after seconds: Int64) async throws {
    let position = try #require(recovery.checkpoint?.position)
    let time = BoxTime(secondsSince1970: Self.caughtUpAt + seconds)
    try await store.save(Checkpoint(position: position, confirmedAt: time))
  }

  @Test func agesByBoxsTime() async throws {
    let memory = MemoryDisk()
    let fixture = try await spooled(memory)
    // A machine whose clock is wrong at its start, by 60 years.
    fixture.clock.jump(60 * 31_536_000)
    let store = try fixture.store(on: memory)
    let recovery = try await store.recover()
    try await save(store, recovery, after: 3000)
    #expect(segments(memory) > 5)
    fixture.clock.advance(61)
    try await save(store, recovery, after: 4000)
    #expect(segments(memory) == 1)
  }

  /// The clock was wrong when the segments were written: they are as old as what their next segment's line tells.
  @Test(arguments: [0, caughtUpAt + 60 * 31_536_000]) func agesOfWrongTimes(wallSeconds: Int64) async throws {
    let memory = MemoryDisk()
    let fixture = try await spooled(memory, events: 2, at: wallSeconds)
    try await fixture.drain(SimulatedBox(total: 60), into: fixture.store(on: memory))
    #expect(segments(memory) > 5)
    let store = try fixture.store(on: memory)
    try await save(store, store.recover(), after: 3700)
    #expect(segments(memory) == 1)
  }

  /// Nothing new, and no save for an hour: reads go on, and so does Box's time.
  @Test func agesWithoutEvents() async throws {
    let memory = MemoryDisk()
    let fixture = try await spooled(memory)
    let store = try fixture.store(on: memory)
    let recovery = try await store.recover()
    try await save(store, recovery, after: 0)
    fixture.clock.advance(3500)
    try await store.requireFreeSpace()
    #expect(segments(memory) > 5)
    fixture.clock.advance(250)
    try await store.requireFreeSpace()
    #expect(segments(memory) == 1)
  }

  // MARK: Compressed segments

  @Test(arguments: [".zst", ".gz", ".xz"]) func compressedSegments(suffix: String) async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 500
    try await fixture.drain(SimulatedBox(total: 60), into: fixture.store())
    let newest = try #require(try fixture.segmentNames().last)
    let names = try fixture.segmentNames().dropLast()
    for name in names { try #require(rename(fixture.path(name), fixture.path(name + suffix)) == 0) }
    // Not a segment's, and a directory: they stay.
    for other in ["events-1.ndjson\(suffix)", "notes.ndjson\(suffix)"] {
      try fixture.write([], to: fixture.path(other))
    }
    try #require(mkdir(fixture.path(SegmentName.text(1) + suffix), 0o700) == 0)
    #expect(try fixture.verify().problem == nil)
    #expect(try fixture.verify().segments == 1)
    let kept = names.suffix(2).map { $0 + suffix }
    fixture.limits.maxSize = try (kept + [newest]).reduce(0) { try $0 + fixture.read(fixture.path($1)).count }
    fixture.clock.advance(61)
    try await fixture.drain(SimulatedBox(total: 60), into: fixture.store())
    let left = try FileManager.default.contentsOfDirectory(atPath: "\(fixture.spoolPath)/default")
    let expected = kept + ["events-1.ndjson\(suffix)", SegmentName.text(1) + suffix]
    #expect(left.filter { $0.hasPrefix("events-") && $0.hasSuffix(suffix) }.sorted() == expected.sorted())
    #expect(try fixture.segmentNames() == [newest])
    #expect(try fixture.verify().problem == nil)
  }

  /// Pages are 11 s apart, more than the least life of a segment.
  @Test func ageOfASegment() async throws {
    let unlimited = try await names { ($0.segmentSize, $0.segmentAge) = (1 << 20, .zero) }
    #expect(unlimited.count == 1)
    let limited = try await names { ($0.segmentSize, $0.segmentAge) = (1 << 20, .seconds(20)) }
    #expect(limited.count > 1)
  }

  @Test func keepsTheNewestUnderAnyLimit() async throws {
    let names = try await names { $0.maxSize = 1 }
    #expect(names.count == 1)
    #expect(names.first != SegmentName.text(0))
  }
}
