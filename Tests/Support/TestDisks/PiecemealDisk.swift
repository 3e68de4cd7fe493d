import Glibc
package import Spool

/// A disk that does everything in small pieces, as a kernel may: a few bytes a call, and a umask.
package struct PiecemealDisk: ForwardingDisk {
  package let base: any Disk
  /// Bytes a read or a write does at a time; 0 makes no progress.
  private let pieceSize: Int
  /// Permissions that new files and directories don't get.
  private let mask: UInt32

  package init(_ base: any Disk, pieceSize: Int = 7, mask: UInt32 = 0) {
    (self.base, self.pieceSize, self.mask) = (base, pieceSize, mask)
  }

  package func read(
    _ handle: DiskHandle, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    try base.read(
      handle, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(pieceSize, buffer.count)]),
      at: offset)
  }

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    if pieceSize == 0 { return 0 }
    return try base.write(
      handle, UnsafeRawBufferPointer(rebasing: bytes[..<min(pieceSize, bytes.count)]), at: offset)
  }

  package func makeDirectory(_ name: String, in directory: DiskHandle, mode: UInt32) throws(DiskError) {
    try base.makeDirectory(name, in: directory, mode: mode & ~mask)
  }

  package func createFile(
    _ name: String, in directory: DiskHandle, mode: UInt32
  ) throws(DiskError) -> DiskHandle {
    try base.createFile(name, in: directory, mode: mode & ~mask)
  }
}

/// A disk that a test fills up and empties again.
package final class FillableDisk: ForwardingDisk, @unchecked Sendable {
  package let base: any Disk
  package var isFull = false

  package init(_ base: any Disk) {
    self.base = base
  }

  package func write(
    _ handle: DiskHandle, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskError) -> Int {
    if isFull { throw DiskError(.write, errno: ENOSPC) }
    return try base.write(handle, bytes, at: offset)
  }

  package func freeBytes(_ handle: DiskHandle) throws(DiskError) -> UInt64 {
    isFull ? 0 : try base.freeBytes(handle)
  }
}
