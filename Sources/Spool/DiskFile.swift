import BoxEvents
import Glibc

/// An open file, read and written at offsets.
package struct DiskFile: Sendable {
  let disk: any Disk
  let handle: DiskHandle
  /// For messages.
  package let path: String

  func status() throws(StoreFailure) -> FileStatus {
    try attempt { () throws(DiskError) in try disk.status(handle) }
  }

  func size() throws(StoreFailure) -> Int {
    try status().size
  }

  /// Fills the buffer from `offset`; returns less only where the file ends.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StoreFailure) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = try attempt { () throws(DiskError) in
        try disk.read(handle, into: rest, at: offset + filled)
      }
      if count <= 0 { break }
      filled += count
    }
    return filled
  }

  /// The bytes of a range, as far as the file has them.
  func bytes(in range: Range<Int>) throws(StoreFailure) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 16)
    defer { buffer.deallocate() }
    let count = try read(into: buffer, at: range.lowerBound)
    return Array(buffer.prefix(count))
  }

  /// Writes all of `bytes`, counting in `written` what is done, so that after a full disk the same call
  /// goes on at the byte where it stopped.
  /// - Parameters:
  ///   - written: how many of the bytes are already there.
  ///   - offset: where the first of `bytes` belongs.
  func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, written: inout Int
  ) throws(StoreFailure) {
    while written < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
      let place = offset + written
      let count = try attempt { () throws(DiskError) in
        let count = try disk.write(handle, rest, at: place)
        // write(2) promises progress for plain files; without it this would never end.
        guard count > 0 else { throw DiskError(.write, errno: EIO) }
        return count
      }
      written += count
    }
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure) {
    var written = 0
    try bytes.withUnsafeBufferPointer { buffer throws(StoreFailure) in
      try write(UnsafeRawBufferPointer(buffer), at: offset, written: &written)
    }
  }

  func truncate(to size: Int) throws(StoreFailure) {
    try attempt { () throws(DiskError) in try disk.truncate(handle, to: size) }
  }

  /// Makes the file's bytes durable. A failure is final: the kernel may have dropped the bytes and
  /// called the pages clean, so that a second sync would succeed and mean nothing (fsync(2), "EIO").
  func synchronize() throws(StoreFailure) {
    try attempt { () throws(DiskError) in try disk.synchronizeData(handle) }
  }

  /// Takes the file's lock; false if another process has it.
  func lock() throws(StoreFailure) -> Bool {
    try attempt { () throws(DiskError) in try disk.lock(handle) }
  }

  func close() {
    disk.close(handle)
  }

  /// Writes a range's bytes again in place. A sync that failed earlier leaves pages that look clean and
  /// are not on disk; written again they are dirty, and the next sync means what it says.
  func rewrite(_ range: Range<Int>) throws(StoreFailure) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let chunk = try bytes(in: offset..<min(range.upperBound, offset + 1 << 20))
      if chunk.isEmpty { return }
      try write(chunk, at: offset)
      offset += chunk.count
    }
  }

  /// Refuses what is no plain file and, to write, what is another's, others may write, or has two names.
  func checked(writing: Bool) throws(DiskError) -> DiskFile {
    do throws(DiskError) {
      let status = try disk.status(handle)
      guard status.kind == .file else { throw DiskError(.open, errno: ENXIO) }
      if writing {
        guard status.owner == disk.userID, status.mode & 0o022 == 0, status.links == 1 else {
          throw DiskError(.open, errno: EPERM)
        }
      }
      return self
    } catch {
      close()
      throw error
    }
  }

  private func attempt<Result>(
    _ body: () throws(DiskError) -> Result
  ) throws(StoreFailure) -> Result {
    do throws(DiskError) {
      return try body()
    } catch {
      throw StoreFailure(error, path: path)
    }
  }
}
