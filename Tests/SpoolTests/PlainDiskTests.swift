import BoxEvents
import Glibc
import TestDisks
import Testing

@testable import Spool

/// File systems that lack what a spool doesn't depend on.
struct PlainDiskTests {
  /// Fills several segments, in two runs.
  private func spooled(on disk: PlainDisk) async throws -> Recovery {
    let fixture = SpoolFixture(memory: ())
    fixture.limits.segmentSize = 500
    try await fixture.drain(SimulatedBox(total: 30), into: fixture.store(on: disk))
    let recovery = try await fixture.drain(SimulatedBox(total: 60), into: fixture.store(on: disk))
    try fixture.expectIntact(SimulatedBox(total: 60), on: disk)
    return recovery
  }

  @Test(arguments: [EPERM, EOPNOTSUPP, ENOSYS])
  func withoutSymbolicLinks(errno: Int32) async throws {
    let recovery = try await spooled(on: PlainDisk(MemoryDisk(), linkErrno: errno))
    #expect(recovery.notes == ["current is missing: the spool's file system doesn't have symbolic links"])
  }

  @Test(arguments: [EINVAL, EOPNOTSUPP])
  func withoutSyncOfDirectories(errno: Int32) async throws {
    let disk = PlainDisk(MemoryDisk(), directorySyncErrno: errno)
    #expect(try await spooled(on: disk).notes == [])
    #expect(try !DiskDirectory.root("/spool", on: disk, access: .shared).canSynchronize())
  }

  @Test func otherErrorsStay() async throws {
    for disk in [
      PlainDisk(MemoryDisk(), linkErrno: EIO), PlainDisk(MemoryDisk(), directorySyncErrno: EIO),
    ] {
      let failure = await #expect(throws: StoreFailure.self) { _ = try await spooled(on: disk) }
      #expect(failure?.code == .io)
    }
  }
}
