import BoxEvents
import FoundationEssentials
import Glibc
import Testing

@testable import Spool

/// Someone has copied a segment under the name of a newer one: its events are not taken for new ones.
struct CopiedSegmentTests {
  private let segment = SegmentName.text(0)

  private func fixture(segmentSize: Int = 1 << 20) async throws -> SpoolFixture {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = segmentSize
    try await fixture.drain(SimulatedBox(total: 12), into: fixture.store())
    return fixture
  }

  private func asides(_ fixture: SpoolFixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(fixture.spoolPath)/default")
      .filter { $0.hasPrefix("aside-") }
  }

  /// Under the next segment's name and others, in the same boot and another, all of it and its first line.
  @Test(arguments: [UInt64(1), 12, 13], ["boot-1", "boot-2"])
  func isSetAside(ordinal: UInt64, boot: String) async throws {
    for isPart in [false, true] {
      let fixture = try await fixture()
      let copy = SegmentName.text(ordinal)
      let bytes = try fixture.read(fixture.path(segment))
      let end = isPart ? try #require(bytes.firstIndex(of: 0x0A)) + 1 : bytes.count
      try fixture.write(Array(bytes[..<end]), to: fixture.path(copy))
      let recovery = try await fixture.store(boot: boot).recover()
      #expect(recovery.ordinal == 12 && recovery.gaps == [] && !recovery.rebuilt)
      #expect(recovery.notes == ["\(copy) is a copy of \(segment): it was renamed to aside-\(copy)"])
      #expect(try asides(fixture) == ["aside-\(copy)"])
      try await fixture.drain(SimulatedBox(total: 20), into: fixture.store(boot: boot))
      try fixture.expectIntact(SimulatedBox(total: 20))
    }
  }

  /// Nothing is replaced by a second one; the position is lost, or an operator sets it.
  @Test(arguments: [false, true]) func isSetAsideWithoutARecord(isSet: Bool) async throws {
    let fixture = try await fixture()
    let bytes = try fixture.read(fixture.path(segment))
    let copy = SegmentName.text(12)
    try fixture.write([1], to: fixture.path("aside-\(copy)"))
    try fixture.write(bytes, to: fixture.path(copy))
    try #require(unlink(fixture.positionPath) == 0)
    if isSet { _ = try fixture.stopped().set(to: .oldest) }
    try await fixture.drain(SimulatedBox(total: 20), into: fixture.store())
    #expect(try asides(fixture).sorted() == ["aside-\(copy)", "aside-\(copy)-2"])
    #expect(try fixture.read(fixture.path("aside-\(copy)-2")) == bytes)
    try fixture.expectIntact(SimulatedBox(total: 20))
  }

  /// A crash before the record has left a segment with events of its own.
  @Test func newEventsStay() async throws {
    let fixture = try await fixture()
    try fixture.write(Array((SimulatedBox.line(12) + "\n").utf8), to: fixture.path(SegmentName.text(12)))
    #expect(try await fixture.store().recover().ordinal == 13)
    #expect(try asides(fixture) == [])
    try await fixture.drain(SimulatedBox(total: 20), into: fixture.store())
    try fixture.expectIntact(SimulatedBox(total: 20))
  }

  /// What has more than the other is not a copy: nothing of it would be elsewhere.
  @Test func moreThanTheOtherStays() async throws {
    let fixture = try await fixture()
    let bytes = try fixture.read(fixture.path(segment)) + Array((SimulatedBox.line(12) + "\n").utf8)
    try fixture.write(bytes, to: fixture.path(SegmentName.text(12)))
    _ = try await fixture.store().recover()
    #expect(try fixture.read(fixture.path(SegmentName.text(12))) == bytes)
  }
}
