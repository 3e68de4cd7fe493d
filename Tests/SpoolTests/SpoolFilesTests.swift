import BoxEvents
import TestDisks
import Testing

@testable import Spool

/// The small formats of the spool's own files.
struct SpoolFilesTests {
  @Test func segmentNames() {
    #expect(SegmentName.text(104_729) == "events-0000000000104729.ndjson")
    #expect(SegmentName.ordinal("events-0000000000104729.ndjson") == 104_729)
    for name in [
      "events-104729.ndjson", "events-0000000000104729.ndjson.gz", "events-000000000010472x.ndjson",
      "events-+000000000104729.ndjson", "segments.ndjson", "",
    ] {
      #expect(SegmentName.ordinal(name) == nil, "\(name)")
    }
  }

  @Test func cutsAPartialLogLine() throws {
    let directory = try DiskDirectory.root("/spool", on: MemoryDisk(), access: .shared)
    for garbage in [[], Array("{\"half\":".utf8), [UInt8](repeating: 0, count: 50), [0, 0x0A]] {
      let name = "log-\(garbage.count)"
      var log = LineLog(name, in: directory)
      try log.append(Array("{\"a\":1}\n".utf8))
      let file = try #require(try directory.file(name, writing: true))
      try file.write(garbage, at: file.size())
      var next = LineLog(name, in: directory)
      try next.append(Array("{\"a\":2}\n".utf8))
      #expect(try next.tail().map { String(decoding: $0, as: UTF8.self) } == ["{\"a\":1}", "{\"a\":2}"])
    }
  }

  /// Nil: deleted. Each may happen while the daemon runs; what is there is kept as far as it is lines.
  @Test(arguments: [
    nil, "", "{\"b\":1}\n", "{\"b\":1}\n{\"b\":2}\n{\"b\":3}\n", "{\"b\":1}\n{\"longer half\":",
  ])
  func continuesAReplacedLog(by replacement: String?) throws {
    let disk = MemoryDisk()
    let directory = try DiskDirectory.root("/spool", on: disk, access: .shared)
    var log = LineLog("log", in: directory)
    try log.append(Array("{\"a\":1}\n".utf8))
    try log.append(Array("{\"a\":2}\n".utf8))
    try directory.remove("log")
    if let replacement {
      let file = try directory.newFile("log")
      try file.write(Array(replacement.utf8), at: 0)
      file.close()
    }
    try log.append(Array("{\"a\":3}\n".utf8))
    try log.append(Array("{\"a\":4}\n".utf8))
    let kept = (replacement ?? "").split(separator: "\n").filter { $0.hasSuffix("}") }
    #expect(
      try log.tail().map { String(decoding: $0, as: UTF8.self) }
        == kept.map(String.init) + ["{\"a\":3}", "{\"a\":4}"])
    // A new file's name is durable with its first line.
    disk.losePower(seed: 1)
    let after = LineLog("log", in: try DiskDirectory.root("/spool", on: disk, access: .shared))
    #expect(try after.tail().count == kept.count + 2)
  }

  @Test func cutsAPartialLogLineLongerThanTheTail() throws {
    let directory = try DiskDirectory.root("/spool", on: MemoryDisk(), access: .shared)
    let long = Array("{\"a\":\"\(String(repeating: "x", count: 3 << 20))\"}\n".utf8)
    var log = LineLog("log", in: directory)
    try log.append(long)
    let file = try #require(try directory.file("log", writing: true))
    try file.write([UInt8](repeating: 0x78, count: 2 << 20), at: file.size())
    var next = LineLog("log", in: directory)
    try next.append(Array("{}\n".utf8))
    #expect(try file.size() == long.count + 3)
  }

  @Test(arguments: [0, 1, 3, 10, 100_000])
  func scansLinesForwardsAndBackwards(length: Int) throws {
    let directory = try DiskDirectory.root("/spool", on: MemoryDisk(), access: .shared)
    let file = try directory.newFile("lines")
    let lines = (0..<40).map { String(repeating: "\($0 % 10)", count: length + $0) }
    try file.write(Array(lines.map { $0 + "\n" }.joined().utf8) + Array("rest".utf8), at: 0)
    let size = try file.size()
    var seen: [String] = []
    let end = try file.forEachLine(in: 0..<size) { line, _ in
      seen.append(String(decoding: line, as: UTF8.self))
      return true
    }
    #expect(seen == lines)
    #expect(end == size - 4)
    for count in [0, 1, 7, 39, 40, 41] {
      let last = try file.lastLines(count, before: end)
      #expect(last.count == min(count, 40))
      let expected = lines.suffix(count).reduce(0) { $0 + $1.utf8.count + 1 }
      #expect(last.start == end - expected, "\(count)")
    }
  }
}
