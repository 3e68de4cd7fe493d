import Glibc
import Spool

/// A disk that does everything in small pieces, as a kernel may: a few bytes a call, and a umask.
struct PiecemealDisk: Disk {
  let base: any Disk
  /// Bytes a read or a write does at a time; 0 stands still.
  var pieceSize = 7
  /// Permissions that new files and directories don't get.
  var mask: UInt32 = 0

  var userID: UInt32 { base.userID }

  func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try base.read(
      handle, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(pieceSize, buffer.count)]),
      at: offset)
  }

  func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    if pieceSize == 0 { return 0 }
    return try base.write(
      handle, UnsafeRawBufferPointer(rebasing: bytes[..<min(pieceSize, bytes.count)]), at: offset)
  }

  func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try base.makeDirectory(name, in: directory, mode: mode & ~mask)
  }

  func createFile(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) -> DiskHandle {
    try base.createFile(name, in: directory, mode: mode & ~mask)
  }

  func openRoot(_ path: String) throws(DiskError) -> DiskHandle { try base.openRoot(path) }
  func openDirectory(_ name: String, in directory: DiskHandle) throws(DiskError) -> DiskHandle {
    try base.openDirectory(name, in: directory)
  }
  func openFile(_ name: String, in directory: DiskHandle, writing: Bool) throws(DiskError) -> DiskHandle {
    try base.openFile(name, in: directory, writing: writing)
  }
  func close(_ handle: DiskHandle) { base.close(handle) }
  func status(_ handle: DiskHandle) throws(DiskError) -> FileStatus { try base.status(handle) }
  func setMode(_ handle: DiskHandle, _ mode: UInt32) throws(DiskError) { try base.setMode(handle, mode) }
  func truncate(_ handle: DiskHandle, to size: Int) throws(DiskError) { try base.truncate(handle, to: size) }
  func synchronizeData(_ handle: DiskHandle) throws(DiskError) { try base.synchronizeData(handle) }
  func synchronizeDirectory(_ handle: DiskHandle) throws(DiskError) { try base.synchronizeDirectory(handle) }
  func names(in directory: DiskHandle) throws(DiskError) -> [String] { try base.names(in: directory) }
  func makeLink(_ name: String, to target: String, in directory: DiskHandle) throws(DiskError) {
    try base.makeLink(name, to: target, in: directory)
  }
  func readLink(_ name: String, in directory: DiskHandle) throws(DiskError) -> String {
    try base.readLink(name, in: directory)
  }
  func rename(_ old: String, to new: String, in directory: DiskHandle) throws(DiskError) {
    try base.rename(old, to: new, in: directory)
  }
  func remove(_ name: String, in directory: DiskHandle) throws(DiskError) {
    try base.remove(name, in: directory)
  }
  func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 { try base.freeBytes(handle) }
  func lock(_ handle: DiskHandle) throws(DiskError) -> Bool { try base.lock(handle) }
}
