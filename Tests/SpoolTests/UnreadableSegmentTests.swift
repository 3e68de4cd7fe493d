import BoxEvents
import Glibc
import Synchronization
import Testing

@testable import Spool

/// Nothing but the newest segment is needed: what can't be read of the others is passed over, and said once.
struct UnreadableSegmentTests {
  private final class Warnings: Sendable {
    let all = Mutex<[String]>([])
  }

  /// The second of several segments is something else now.
  private func fixture(_ kind: String) async throws -> (fixture: SpoolFixture, name: String) {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store())
    let name = try fixture.segmentNames()[1]
    try #require(rename(fixture.path(name), fixture.path("archived")) == 0)
    switch kind {
    case "link": try #require(symlink("archived", fixture.path(name)) == 0)
    default: try #require(mkdir(fixture.path(name), 0o755) == 0)
    }
    return (fixture, name)
  }

  @Test(arguments: ["link", "directory"]) func isPassedOver(_ kind: String) async throws {
    let (fixture, name) = try await fixture(kind)
    let warnings = Warnings()
    let store = StreamSpool(
      try fixture.place(), limits: fixture.limits, bootID: "boot-1", clock: fixture.clock.clock,
      thread: try #require(SpoolFixture.thread),
      warn: { failure in warnings.all.withLock { $0.append(failure.message) } })
    let recovery = try await fixture.drain(SimulatedBox(total: 30), into: store)
    #expect(recovery.ordinal == 23)
    let all = try EventPage(lines: (0..<30).map { Array(SimulatedBox.line($0).utf8) }, nextPosition: nil)
    #expect(try await store.deduplicate(all, readFrom: .oldest).new == [])
    // The window is loaded once more.
    try await store.save(try #require(recovery.checkpoint))
    #expect(try await store.deduplicate(all, readFrom: .oldest).new == [])
    let texts = warnings.all.withLock { $0 }
    #expect(texts.count == 1 && texts[0].contains(name))
  }

  @Test(arguments: ["link", "directory"]) func isNamedByTheVerifier(_ kind: String) async throws {
    let (fixture, name) = try await fixture(kind)
    let report = try fixture.verify()
    #expect(report.problem == nil)
    #expect(report.notes.count == 1 && report.notes[0].contains(name))
    #expect(report.segments == (try fixture.segmentNames().count) - 1)
  }

  @Test func isLeftOutByReaders() async throws {
    let (fixture, name) = try await fixture("link")
    let root = try fixture.place().spoolRoot
    let spool = try #require(try root.subdirectory("default"))
    defer { for directory in [root, spool] { directory.close() } }
    var reader = SpoolReader(spool: spool)
    try reader.seek(last: 23)
    var count = 0
    #expect(try reader.read { _ in count += 1 })
    let left = try fixture.read(fixture.path("archived")).count { $0 == 0x0A }
    #expect(count == 23 - left, "\(name)")
  }
}
