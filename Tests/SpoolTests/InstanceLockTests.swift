import BoxEvents
import Glibc
import Testing

@testable import Spool

struct InstanceLockTests {
  private func refusal(_ directory: DiskDirectory) -> StoreFailure? {
    #expect(throws: StoreFailure.self) { _ = try InstanceLock(directory, processID: 4712) }
  }

  @Test func secondInstanceNamesTheFirst() throws {
    let fixture = try SpoolFixture()
    let directory = try DiskDirectory.root(fixture.statePath, on: LocalDisk(), access: .own)
    let first = try InstanceLock(directory, processID: getpid())
    let failure = refusal(directory)
    #expect(failure?.code == .locked)
    #expect(failure?.holder == getpid())
    #expect(failure?.message == "\(fixture.statePath) is in use by process \(getpid())")
    #expect(failure?.hint == InstanceLock.instanceHint)
    first.release()
    try InstanceLock(directory, processID: 5).release()
    #expect(try fixture.read(fixture.statePath + "/.lock") == Array("5\n".utf8))
  }

  /// As where a backup has taken the lock of a stopped daemon.
  @Test(arguments: [.max, 1] as [Int32]) func doesNotNameTheOneThatHasSignedBefore(signed: Int32) throws {
    let fixture = try SpoolFixture()
    let directory = try DiskDirectory.root(fixture.statePath, on: LocalDisk(), access: .own)
    let backup = try InstanceLock(directory, processID: signed)
    defer { backup.release() }
    let failure = refusal(directory)
    // The numbers in /proc/locks are those of this file system, or not.
    let who = failure?.holder == nil ? "another process" : "process \(getpid())"
    #expect(failure?.message == "\(fixture.statePath) is in use by \(who)")
    #expect(failure?.hint?.hasSuffix(" Wait until it has ended, as a backup does, or stop it.") == true)
  }

  @Test func findsTheHolderAmongTheLocks() {
    let locks = """
      1: FLOCK  ADVISORY  WRITE 26092 fe:00:5392323 0 EOF
      2: OFDLCK ADVISORY  WRITE -1 fe:00:5392323 0 EOF
      3: POSIX  ADVISORY  READ 7 fe:00:5392323 128 128
      4: FLOCK  ADVISORY  READ 16400 fe:100:5392323 0 EOF
      4: -> FLOCK  ADVISORY  WRITE 29905 fe:100:5392323 0 EOF
      5: FLOCK  ADVISORY  READ 16401 fe:100:5392323 0 EOF
      6: FLOCK

      7: FLOCK  ADVISORY  WRITE 8 00:2d 0 EOF
      """
    func processes(_ device: UInt64, _ inode: UInt64) -> [Int32] {
      LockHolder.processes(in: locks, of: FileStatus.ID(device: device, inode: inode))
    }
    #expect(processes(0xfe00, 5_392_323) == [26_092])
    // Of minor numbers above 255 the upper bits are further up.
    #expect(processes(0x10_fe00, 5_392_323) == [16_400, 16_401])
    #expect(processes(0xfe00, 5_392_324) == [])
    #expect(processes(0, 45) == [])
    let id = FileStatus.ID(device: 45, inode: 5_392_323)
    #expect(LockHolder.processes(in: locks, of: id) == [])
    #expect(LockHolder.processes(in: locks, of: id, onAnyDevice: true) == [26_092, 16_400, 16_401])
  }
}
