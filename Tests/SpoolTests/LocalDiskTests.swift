import Glibc
import Testing

@testable import Spool

/// What only a real disk can show; the rest is in ``DiskContractTests``.
struct LocalDiskTests {
  private let disk = LocalDisk()
  private let fixture: SpoolFixture
  private let root: DiskHandle

  init() throws {
    fixture = try SpoolFixture()
    root = try disk.openRoot(fixture.spoolPath)
  }

  private func status(_ name: String) throws -> stat {
    var status = stat()
    try #require(lstat("\(fixture.spoolPath)/\(name)", &status) == 0)
    return status
  }

  @Test func opensEverythingCloseOnExec() throws {
    let file = try disk.createFile("new", in: root, mode: 0o640)
    let again = try disk.openFile("new", in: root, writing: true)
    try disk.makeDirectory("inner", in: root, mode: 0o750)
    let inner = try disk.openDirectory("inner", in: root)
    for handle in [root, file, again, inner] {
      #expect(fcntl(handle.rawValue, F_GETFD) & FD_CLOEXEC != 0)
      disk.close(handle)
    }
  }

  @Test func statusIsTheKernels() throws {
    try #require(chmod(fixture.spoolPath, 0o2750) == 0)
    let directory = try disk.status(root)
    #expect(directory.kind == .directory)
    #expect(directory.mode == 0o2750)
    let handle = try disk.createFile("new", in: root, mode: 0o600)
    defer { disk.close(handle) }
    try disk.setMode(handle, 0o4640)
    let bytes = [UInt8](repeating: 1, count: 77)
    #expect(try bytes.withUnsafeBytes { try disk.write(handle, $0, at: 23) } == 77)
    try #require(link("\(fixture.spoolPath)/new", "\(fixture.spoolPath)/second") == 0)
    var file = try disk.status(handle)
    #expect((file.kind, file.mode, file.size, file.links) == (.file, 0o4640, 100, 2))
    #expect(file.owner == geteuid())
    #expect(file.modifiedAt == Int64(try status("new").st_mtim.tv_sec))
    try #require(mkfifo("\(fixture.spoolPath)/fifo", 0o600) == 0)
    let fifo = try disk.openFile("fifo", in: root, writing: false)
    defer { disk.close(fifo) }
    file = try disk.status(fifo)
    #expect(file.kind == .other)
  }

  @Test func freeSpaceIsThatOfAnOrdinaryUser() throws {
    var status = statvfs()
    let free = try disk.freeBytes(root)
    try #require(statvfs(fixture.spoolPath, &status) == 0)
    // Others write to this disk too.
    let now = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    #expect(max(free, now) - min(free, now) < 1 << 30)
    #expect(free < UInt64(status.f_blocks) * UInt64(status.f_frsize))
  }
}
