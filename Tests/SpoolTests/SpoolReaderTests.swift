import BoxEvents
import Glibc
import Testing

@testable import Spool

/// What `box-eventd tail` reads, while the daemon writes.
struct SpoolReaderTests {
  private let fixture: SpoolFixture

  init() throws {
    fixture = try SpoolFixture()
    try #require(mkdir("\(fixture.spoolPath)/default", 0o750) == 0)
  }

  private func reader() throws -> SpoolReader {
    let root = try DiskDirectory.root(fixture.spoolPath, on: LocalDisk(), access: .reading)
    return SpoolReader(spool: try #require(try root.subdirectory("default")))
  }

  /// Lines `from..<to`, each its number, behind what a segment has.
  private func write(_ segment: UInt64, _ range: Range<Int>, partial: String = "") throws {
    let path = fixture.path(SegmentName.text(segment))
    let old = (try? fixture.read(path)) ?? []
    try fixture.write(old + Array((range.map { "\($0)\n" }.joined() + partial).utf8), to: path)
  }

  private func lines(_ reader: inout SpoolReader) throws -> [String] {
    var lines: [String] = []
    let hasRead = try reader.read { lines.append(String(decoding: $0, as: UTF8.self)) }
    #expect(hasRead == !lines.isEmpty)
    return lines
  }

  private func numbers(_ range: Range<Int>) -> [String] { range.map { "\($0)" } }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 100])
  func seeksOverSegments(count: Int) throws {
    try write(0, 0..<3)
    try write(3, 3..<3)
    try write(3, 3..<7)
    try write(7, 7..<10)
    var reader = try reader()
    try reader.seek(last: count)
    #expect(try lines(&reader) == numbers(max(0, 10 - count)..<10))
    #expect(try lines(&reader) == [])
  }

  /// A reader that was held up finds out what it has missed.
  @Test(arguments: [nil, 0, 2, 100]) func reportsWhatIsMissing(last: Int?) throws {
    try write(0, 0..<3)
    try write(3, 3..<7)
    var reader = try reader()
    if let last { try reader.seek(last: last) }
    _ = try lines(&reader)
    try write(7, 7..<9)
    try write(9, 9..<10)
    try write(10, 10..<12)
    for name in [0, 3, 7, 9] { #expect(unlink(fixture.path(SegmentName.text(UInt64(name)))) == 0) }
    var missing: [[UInt64?]] = []
    var seen: [String] = []
    _ = try reader.read {
      missing.append([$0, $1])
    } _: {
      seen.append(String(decoding: $0, as: UTF8.self))
    }
    #expect(missing == [[10, 3]])
    #expect(seen == ["10", "11"])
    try write(12, 12..<13)
    _ = try reader.read(onMissing: { missing.append([$0, $1]) }, { _ in })
    #expect(missing.count == 1)
  }

  /// The segment that is being read goes before it was read to its end.
  @Test func reportsTheRestOfASegment() throws {
    try write(0, 0..<3)
    var reader = try reader()
    _ = try lines(&reader)
    try write(5, 5..<6)
    #expect(unlink(fixture.path(SegmentName.text(0))) == 0)
    var missing: [[UInt64?]] = []
    _ = try reader.read(onMissing: { missing.append([$0, $1]) }, { _ in })
    #expect(missing == [[5, 2]])
  }

  /// The last ones that pass are looked for in as many segments as it takes.
  @Test(arguments: [0, 1, 2, 3, 4, 5, 100]) func seeksWhatPasses(count: Int) throws {
    try write(0, 0..<3)
    try write(3, 3..<7)
    try write(7, 7..<10, partial: "0")
    var reader = try reader()
    let passing = ["0", "2", "4", "6"]
    let passes = { (line: UnsafeRawBufferPointer) in passing.contains(String(decoding: line, as: UTF8.self)) }
    try reader.seek(last: count, where: passes)
    #expect(try lines(&reader).filter(passing.contains) == Array(passing.suffix(count)))
    try write(7, 10..<10, partial: "\n")
    #expect(try lines(&reader) == ["0"])
  }

  @Test func seeksTheEndWhereNothingPasses() throws {
    try write(0, 0..<3)
    try write(3, 3..<5)
    var reader = try reader()
    try reader.seek(last: 1) { _ in false }
    #expect(try lines(&reader) == [])
    try write(3, 5..<6)
    #expect(try lines(&reader) == ["5"])
  }

  @Test func readsEverythingWithoutASeek() throws {
    try write(0, 0..<3)
    try write(3, 3..<5)
    var reader = try reader()
    #expect(try lines(&reader) == numbers(0..<5))
  }

  @Test func followsTheSegmentAndNewOnes() throws {
    try write(0, 0..<3)
    var reader = try reader()
    try reader.seek(last: 1)
    #expect(try lines(&reader) == numbers(2..<3))
    try write(0, 3..<5)
    #expect(try lines(&reader) == numbers(3..<5))
    try write(0, 5..<6)
    try write(6, 6..<8)
    #expect(try lines(&reader) == numbers(5..<8))
    try write(6, 8..<9)
    try write(9, 9..<9)
    #expect(try lines(&reader) == numbers(8..<9))
    try write(9, 9..<20)
    #expect(try lines(&reader) == numbers(9..<20))
  }

  @Test func readsAPartialLineOnceComplete() throws {
    try write(0, 0..<2, partial: "hal")
    var reader = try reader()
    try reader.seek(last: 1)
    #expect(try lines(&reader) == numbers(1..<2))
    #expect(try lines(&reader) == [])
    try write(0, 0..<0, partial: "f\nne")
    #expect(try lines(&reader) == ["half"])
    try write(0, 0..<0, partial: "xt\n")
    #expect(try lines(&reader) == ["next"])
  }

  @Test func passesOverADeletedSegment() throws {
    try write(0, 0..<3)
    try write(3, 3..<6)
    var reader = try reader()
    try reader.seek(last: 4)
    try #require(unlink(fixture.path(SegmentName.text(0))) == 0)
    #expect(try lines(&reader) == numbers(3..<6))
  }

  @Test func readsNothingWithoutSegments() throws {
    var reader = try reader()
    try reader.seek(last: 10)
    #expect(try lines(&reader) == [])
    try write(0, 0..<2)
    #expect(try lines(&reader) == numbers(0..<2))
  }

  @Test func readsLongLines() throws {
    let long = String(repeating: "x", count: 3_000_000)
    try fixture.write(Array("first\n\(long)\nlast\n".utf8), to: fixture.path(SegmentName.text(0)))
    var reader = try reader()
    #expect(try lines(&reader) == ["first", long, "last"])
    var second = try self.reader()
    try second.seek(last: 2)
    #expect(try lines(&second) == [long, "last"])
  }
}
