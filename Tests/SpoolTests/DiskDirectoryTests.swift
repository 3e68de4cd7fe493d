import BoxEvents
import Glibc
import TestDisks
import Testing

@testable import Spool

struct DiskDirectoryTests {
  private func mode(_ path: String) -> UInt32 {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  @Test func completesPartialReadsAndWrites() async throws {
    let fixture = try SpoolFixture()
    fixture.limits.segmentSize = 700
    let disk = PiecemealDisk(LocalDisk())
    try await fixture.drain(SimulatedBox(total: 23), into: fixture.store(on: disk))
    try fixture.expectIntact(SimulatedBox(total: 23))
    try fixture.expectIntact(SimulatedBox(total: 23), on: disk)
    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store(on: disk))
    try fixture.expectIntact(SimulatedBox(total: 30))
  }

  /// write(2) promises progress; a disk that makes none must not hold the daemon up for ever.
  @Test func failsWhereAWriteMakesNoProgress() async throws {
    let fixture = try SpoolFixture()
    let failure = await #expect(throws: StoreFailure.self) {
      try await fixture.drain(
        SimulatedBox(total: 1), into: fixture.store(on: PiecemealDisk(LocalDisk(), pieceSize: 0)))
    }
    #expect(failure?.code == .io)
    #expect(failure?.errno == EIO)
  }

  @Test(arguments: [0o000, 0o027, 0o077, 0o777] as [UInt32])
  func setsModesUnderAnyUmask(mask: UInt32) async throws {
    let fixture = try SpoolFixture()
    try #require(chmod(fixture.spoolPath, 0o2750) == 0)
    let disk = PiecemealDisk(LocalDisk(), pieceSize: 1 << 20, mask: mask)
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store(on: disk))
    #expect(mode("\(fixture.spoolPath)/default") == 0o2750)
    #expect(mode("\(fixture.statePath)/default") == 0o700)
    #expect(mode(fixture.positionPath) == 0o600)
    #expect(mode(fixture.path("events-0000000000000000.ndjson")) == 0o640)
    #expect(mode(fixture.path("segments.ndjson")) == 0o640)
  }

  @Test func replacesATemporaryLinkLeftByACrash() async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    try #require(symlink("nowhere", fixture.path(".current")) == 0)
    try #require(unlink(fixture.path("current")) == 0)
    _ = try await fixture.store().recover()
    var target = [CChar](repeating: 0, count: 100)
    let count = readlink(fixture.path("current"), &target, 99)
    #expect(
      String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        == "events-0000000000000000.ndjson")
  }

  /// A failed sync leaves bytes that look clean and are lost in a power cut, unless they are written again.
  @Test func rewritingMakesDurableAfterAFailedSync() throws {
    let disk = MemoryDisk()
    let directory = try DiskDirectory.root("/spool", on: disk, access: .shared)
    let file = try directory.newFile("large")
    try directory.synchronize()
    let bytes = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 / 512) }
    try file.write(bytes, at: 0)
    var none: Choices?
    disk.failSync(file.handle, &none)
    try file.rewrite(0..<bytes.count)
    try file.synchronize()
    disk.losePower(seed: 1)
    let again = try DiskDirectory.root("/spool", on: disk, access: .shared)
    let found = try #require(try again.file("large", writing: false))
    #expect(try found.bytes(in: 0..<bytes.count) == bytes)
  }

  // MARK: Others' files; only root can make them

  static let isRoot = geteuid() == 0

  private func refused(_ fixture: SpoolFixture) async -> Bool {
    do {
      try await fixture.drain(SimulatedBox(total: 9), into: fixture.store())
      return false
    } catch { return (error as? StoreFailure)?.code == .refused }
  }

  @Test(.enabled(if: isRoot), arguments: ["stream_position", "events-0000000000000000.ndjson"])
  func refusesFilesOfAnotherUser(name: String) async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    let path = name == "stream_position" ? fixture.positionPath : fixture.path(name)
    try #require(chown(path, 12_345, 0) == 0)
    #expect(await refused(fixture))
  }

  @Test(.enabled(if: isRoot), arguments: [true, false])
  func refusesDirectoriesOfAnotherUser(isStream: Bool) async throws {
    let fixture = try SpoolFixture()
    try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
    try #require(chown(isStream ? "\(fixture.spoolPath)/default" : fixture.spoolPath, 12_345, 0) == 0)
    #expect(await refused(fixture))
  }

  @Test(arguments: [0o660, 0o620, 0o602, 0o666] as [mode_t])
  func refusesFilesThatOthersMayWrite(mode: mode_t) async throws {
    for name in ["stream_position", "events-0000000000000000.ndjson"] {
      let fixture = try SpoolFixture()
      try await fixture.drain(SimulatedBox(total: 4), into: fixture.store())
      try #require(chmod(name == "stream_position" ? fixture.positionPath : fixture.path(name), mode) == 0)
      #expect(await refused(fixture), "\(name)")
    }
  }
}
