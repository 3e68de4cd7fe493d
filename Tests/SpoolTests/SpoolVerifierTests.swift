import BoxEvents
import Glibc
import Testing

@testable import Spool

struct SpoolVerifierTests {
  private func fixture() async throws -> SpoolFixture {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    return fixture
  }

  @Test func acceptsAnIntactSpool() async throws {
    let fixture = try await fixture()
    let report = try fixture.verify()
    #expect(report.problem == nil)
    #expect(report.events == 23)
    #expect(report.segments == (try fixture.segmentNames().count))
    #expect(report.notes == [])
  }

  @Test func findsADuplicate() async throws {
    let fixture = try await fixture()
    let name = try #require(try fixture.segmentNames().last)
    try fixture.append(SimulatedBox.line(3) + "\n", to: fixture.path(name))
    let problem = try fixture.verify().problem
    #expect(problem?.file == name)
    #expect(problem?.message.contains("already") == true)
  }

  /// Beyond the window an old event that Box serves again is new to the daemon.
  @Test(arguments: [9_999, 10_000]) func allowsADuplicateBeyondTheWindow(others: Int) async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 1), into: fixture.store())
    let lines = [0] + Array(1...others) + [0]
    let text = lines.map { SimulatedBox.line($0) + "\n" }.joined()
    try fixture.write(Array(text.utf8), to: fixture.path(SegmentName.text(0)))
    let report = try fixture.verify()
    #expect((report.problem == nil) == (others == 10_000))
    #expect(report.notes.count == (others == 10_000 ? 1 : 0))
  }

  @Test func findsAnInvalidLine() async throws {
    let fixture = try await fixture()
    let path = fixture.path(try fixture.segmentNames()[0])
    var bytes = try fixture.read(path)
    let second = try #require(bytes.firstIndex(of: 0x0A)) + 1
    bytes[second] = 0
    try fixture.write(bytes, to: path)
    let problem = try fixture.verify().problem
    #expect(problem?.line == 2)
    #expect(problem?.offset == second)
  }

  @Test func findsAMissingLine() async throws {
    let fixture = try await fixture()
    let path = fixture.path(try fixture.segmentNames()[0])
    let bytes = try fixture.read(path)
    try fixture.write(Array(bytes[(try #require(bytes.firstIndex(of: 0x0A)) + 1)...]), to: path)
    #expect(try fixture.verify().problem?.message.contains("missing") == true)
  }

  @Test func findsAPartialLineInAFinishedSegment() async throws {
    let fixture = try await fixture()
    let path = fixture.path(try fixture.segmentNames()[0])
    try #require(truncate(path, try fixture.read(path).count - 3) == 0)
    #expect(try fixture.verify().problem?.message.contains("partial") == true)
  }

  @Test func findsAShortenedNewestSegment() async throws {
    let fixture = try await fixture()
    let path = fixture.path(try #require(try fixture.segmentNames().last))
    try #require(truncate(path, 0) == 0)
    let problem = try #require(try fixture.verify().problem)
    #expect(problem.message.contains("durable bytes, which are missing"))
    #expect("\(problem)".hasPrefix("\(problem.file), byte \(problem.offset): the position file"))
    try #require(unlink(path) == 0)
    #expect(try fixture.verify().problem?.message.contains("durable bytes, which are missing") == true)
  }

  @Test func acceptsMissingSegmentsAndAPartialTail() async throws {
    let fixture = try await fixture()
    let names = try fixture.segmentNames()
    try #require(names.count > 3)
    try #require(unlink(fixture.path(names[0])) == 0 && unlink(fixture.path(names[2])) == 0)
    try fixture.append(#"{"event_id":"half"#, to: fixture.path(names[names.count - 1]))
    let report = try fixture.verify()
    #expect(report.problem == nil)
    #expect(report.notes.count == 2)
  }
}
