import BoxEvents
import Glibc
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
