import BoxEvents
import TestDisks
import Testing

@testable import Spool

struct TwoBlockFileTests {
  private func directory(_ disk: any Disk) throws -> DiskDirectory {
    try DiskDirectory.root("/state", on: disk, access: .own)
  }

  @Test func keepsTheNewest() throws {
    let directory = try directory(MemoryDisk())
    #expect(try TwoBlockFile("pair", in: directory) == nil)
    var file = try TwoBlockFile(making: "pair", in: directory)
    #expect(file.content == nil)
    for number in 1...5 {
      try file.write("token: \(number)\n")
      let again = try TwoBlockFile("pair", in: directory)
      #expect(again?.content == "token: \(number)\n")
      #expect(again?.sequence == UInt64(number))
    }
  }

  @Test func closesAFileThatCanNotBeMade() throws {
    var failed = 0
    // The first call is that of the directory.
    for call in 2...20 {
      let disk = MemoryDisk()
      let directory = try directory(FaultyDisk(disk, .noSpace, at: call, countsReads: true))
      guard (try? TwoBlockFile(making: "pair", in: directory)) == nil else { continue }
      failed += 1
      #expect(disk.openHandles == 1, "call \(call): only the directory is open")
      #expect(disk.strayCloses == 0, "call \(call)")
    }
    #expect(failed > 5)
  }

  @Test func refusesRecordsThatAreTooLong() throws {
    var file = try TwoBlockFile(making: "pair", in: directory(MemoryDisk()))
    #expect(throws: StoreFailure.self) { try file.write(String(repeating: "x", count: 3072) + "\n") }
    #expect(throws: StoreFailure.self) { try file.write("no newline") }
    try file.write(String(repeating: "x", count: 3071) + "\n")
    #expect(file.content?.utf8.count == 3072)
  }

  @Test func proofOfWritingKeepsTheNewest() throws {
    let directory = try directory(MemoryDisk())
    var file = try TwoBlockFile(making: "pair", in: directory)
    try file.proveWritable()
    try file.write("a: 1\n")
    try file.write("a: 2\n", durable: false)
    try file.proveWritable()
    #expect(try TwoBlockFile("pair", in: directory)?.content == "a: 2\n")
    try file.write("a: 3\n")
    #expect(try TwoBlockFile("pair", in: directory)?.content == "a: 3\n")
  }

  /// Whatever of the last writes is lost, a synced record or a later one is there.
  @Test func survivesPowerCuts() throws {
    for seed in UInt64(0)..<300 {
      var random = SplitMix64(seed: seed)
      let disk = MemoryDisk()
      var file = try TwoBlockFile(making: "pair", in: directory(disk))
      var durable = 0
      for number in 1...Int.random(in: 2...9, using: &random) {
        let syncs = Bool.random(using: &random) || number == 1
        try file.write("n: \(number)\n", durable: syncs)
        if syncs { durable = number }
      }
      disk.losePower(seed: seed)
      let content = try TwoBlockFile(making: "pair", in: directory(disk)).content
      let found = try #require(content.flatMap { Int($0.dropFirst(3).dropLast()) }, "seed \(seed)")
      #expect(found >= durable, "seed \(seed)")
    }
  }

  /// A record whose sync failed reads well and is not on disk, until the next run has written it again.
  @Test func rewritesBeforeItTrusts() throws {
    for seed in UInt64(0)..<100 {
      let disk = MemoryDisk()
      var file = try TwoBlockFile(making: "pair", in: directory(disk))
      try file.write("n: 1\n")
      try file.write("n: 2\n")
      let quiet = FaultyDisk(disk)
      _ = try TwoBlockFile("pair", in: directory(quiet))
      // The write, then its sync.
      let failing = try directory(FaultyDisk(disk, .ioError, at: quiet.calls + 2))
      var partial = try #require(try TwoBlockFile("pair", in: failing))
      #expect(throws: StoreFailure.self) { try partial.write("n: 3\n") }
      disk.kill()
      var next = try TwoBlockFile(making: "pair", in: directory(disk))
      #expect(next.content == "n: 3\n")
      try next.write("n: 4\n", durable: false)
      disk.losePower(seed: seed)
      let content = try TwoBlockFile(making: "pair", in: directory(disk)).content
      #expect(content == "n: 3\n" || content == "n: 4\n", "seed \(seed)")
    }
  }

  @Test func isReadable() throws {
    let disk = MemoryDisk()
    let directory = try directory(disk)
    var file = try TwoBlockFile(making: "pair", in: directory)
    try file.write("name: value\n")
    let bytes = try #require(try directory.file("pair", writing: false)).bytes(in: 0..<9000)
    #expect(bytes.count == 8192)
    #expect(bytes.allSatisfy { $0 == 0x0A || 0x20..<0x7F ~= $0 })
    #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("sequence: 1\nname: value\nchecksum: "))
  }
}
