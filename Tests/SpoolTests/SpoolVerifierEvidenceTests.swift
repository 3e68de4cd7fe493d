import BoxEvents
import Glibc
import Testing

@testable import Spool

/// What the verifier lets excuse a hole, and what it doesn't.
struct SpoolVerifierEvidenceTests {
  /// A spool whose first segment has lost its first line.
  private func holed() async throws -> (fixture: SpoolFixture, second: UInt64) {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    let path = fixture.path(try fixture.segmentNames()[0])
    let bytes = try fixture.read(path)
    try fixture.write(Array(bytes[(try #require(bytes.firstIndex(of: 0x0A)) + 1)...]), to: path)
    return (fixture, try #require(SegmentName.ordinal(try fixture.segmentNames()[1])))
  }

  private func record(_ cause: Gap.Cause, at ordinal: UInt64, _ fixture: SpoolFixture) throws {
    let line = GapLine(gap: Gap(cause: cause, from: nil, to: nil), ordinal: ordinal).line(at: 0)
    try fixture.write(line, to: fixture.path("gaps.ndjson"))
  }

  @Test(arguments: [Gap.Cause.spoolShortened, .stateLost])
  func acceptsARecordedLoss(cause: Gap.Cause) async throws {
    let (fixture, second) = try await holed()
    try record(cause, at: second, fixture)
    #expect(try fixture.verify().problem == nil)
    #expect(try fixture.verify().notes == ["event \(second - 1) is missing: a recorded gap"])
  }

  /// logrotate has moved the file away, under one of its names or to its `olddir`, and a new one has begun.
  @Test(
    arguments: [
      "gaps.ndjson.1", "gaps.ndjson-20261127", "gaps-20261127.ndjson", "gaps.1.ndjson", "old/gaps.ndjson.1",
      "old/gaps.ndjson",
    ],
    [false, true])
  func acceptsALossRecordedInARotatedFile(name: String, hasBegun: Bool) async throws {
    let (fixture, second) = try await holed()
    try record(.spoolShortened, at: second, fixture)
    try #require(mkdir(fixture.path("old"), 0o750) == 0)
    try #require(rename(fixture.path("gaps.ndjson"), fixture.path(name)) == 0)
    if hasBegun { try record(.stateLost, at: 23, fixture) }
    #expect(try fixture.verify().problem == nil)
    #expect(try fixture.verify().notes == ["event \(second - 1) is missing: a recorded gap"])
  }

  @Test(arguments: ["gaps.ndjson.1.gz", "segments.ndjson-20261127.zst", "old/gaps.ndjson.1.gz"])
  func namesACompressedFile(name: String) async throws {
    let (fixture, second) = try await holed()
    try #require(mkdir(fixture.path("old"), 0o750) == 0)
    try fixture.write([0x1F, 0x8B], to: fixture.path(name))
    let report = try fixture.verify()
    #expect(report.problem == nil)
    #expect(report.notes.count == 1)
    #expect(report.notes.first?.hasPrefix("event \(second - 1) is missing, and \(name), which") == true)
  }

  /// The lines of quarantine.ndjson are evidence of nothing, and those of segments.ndjson are needed for holes only.
  @Test func acceptsRotatedFiles() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    for name in ["quarantine.ndjson", "segments.ndjson"] {
      try #require(rename(fixture.path(name), fixture.path("\(name).1")) == 0)
    }
    #expect(try fixture.verify().problem == nil)
    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store())
    try #require(unlink(fixture.path(try fixture.segmentNames()[1])) == 0)
    #expect(try fixture.verify().problem == nil)
    #expect(try fixture.verify().notes.count == 1)
  }

  @Test(arguments: [Gap.Cause.spoolShortened, .stateLost])
  func findsALossRecordedElsewhere(cause: Gap.Cause) async throws {
    let (fixture, second) = try await holed()
    try record(cause, at: second + 1, fixture)
    let problem = try #require(try fixture.verify().problem)
    #expect("\(problem)" == "\(SegmentName.text(second)): event \(second - 1) is missing")
  }

  @Test(arguments: [Gap.Cause.positionSet, .retention])
  func findsMissingLinesDespiteAGapOfRetention(cause: Gap.Cause) async throws {
    let (fixture, second) = try await holed()
    try record(cause, at: second, fixture)
    #expect(try fixture.verify().problem?.message.contains("missing") == true)
  }

  @Test func findsOverlappingSegments() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    let names = try fixture.segmentNames()
    try fixture.append("{\"event_id\":\"one too many\"}\n", to: fixture.path(names[0]))
    let problem = try fixture.verify().problem
    #expect(problem?.file == names[1])
    #expect(problem?.message.hasPrefix("begins at") == true)
  }

  @Test func findsARecordWithAnotherCount() async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 9), into: fixture.store())
    let state = try DiskDirectory.root("\(fixture.statePath)/default", on: LocalDisk(), access: .own)
    defer { state.close() }
    var record = try #require(try fixture.record())
    record.ordinal += 1
    var file = try #require(try TwoBlockFile(PositionRecord.fileName, in: state))
    try file.write(record.text)
    #expect(try fixture.verify().problem?.message.contains("the position file records 10 events") == true)
  }
}
