import Spool
import TestDisks
import Testing

/// What a power cut leaves of a disk in memory, which the tests of crashes rely on.
struct MemoryDiskTests {
  private let disk = MemoryDisk()
  private let old = [UInt8](repeating: 1, count: 1024)
  private let new = [UInt8](repeating: 2, count: 1024)

  private func write(_ bytes: [UInt8], to file: DiskHandle) throws {
    #expect(try bytes.withUnsafeBytes { try disk.write(file, $0, at: 0) } == bytes.count)
  }

  /// A durable file `file` with `old` in it.
  private func file() throws -> DiskHandle {
    let root = try disk.openRoot("/spool")
    let file = try disk.createFile("file", in: root, mode: 0o600)
    try write(old, to: file)
    try disk.synchronizeData(file)
    try disk.synchronizeDirectory(root)
    return file
  }

  /// What the file can hold after a power cut.
  private func contents() throws -> Set<[UInt8]> {
    var found: Set<[UInt8]> = []
    for seed in UInt64(0)..<200 {
      var (image, choices) = (disk.image, Choices(seed: seed))
      image.losePower(&choices)
      let index = try #require(image.find("file", in: DiskImage.spoolRoot, durable: true))
      found.insert(image.nodes[index].bytes)
    }
    return found
  }

  @Test func syncedBytesStay() throws {
    let file = try file()
    #expect(try contents() == [old])
    try write(new, to: file)
    try disk.synchronizeData(file)
    #expect(try contents() == [new])
  }

  @Test func unsyncedBytesComeOutInEveryState() throws {
    try write(new, to: try file())
    let found = try contents()
    #expect(found.isSuperset(of: [old, new, Array(old[..<512] + new[512...])]))
    #expect(found.contains { $0[0] != $0[511] })
  }

  @Test func onlyRewritingHelpsAfterAFailedSync() throws {
    let file = try file()
    try write(new, to: file)
    var none: Choices?
    disk.failSync(file, &none)
    try disk.synchronizeData(file)
    #expect(try contents().contains(old))
    try write(new, to: file)
    try disk.synchronizeData(file)
    #expect(try contents() == [new])
  }

  @Test func unsyncedNamesMayBeLost() throws {
    let root = try disk.openRoot("/spool")
    disk.close(try disk.createFile("unsynced", in: root, mode: 0o600))
    let image = disk.image
    var counts: Set<Int> = []
    for seed in UInt64(0)..<50 {
      disk.image = image
      disk.losePower(seed: seed)
      counts.insert(try disk.names(in: disk.openRoot("/spool")).count)
    }
    #expect(counts == [0, 1])
  }
}
