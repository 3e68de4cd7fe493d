import BoxEvents
import Glibc

/// An open file, read and written at offsets.
package struct DiskFile: Sendable {
  let disk: any Disk
  let handle: DiskHandle
  /// For messages.
  package let path: String
  /// Which file it is, whatever its name.
  let id: FileStatus.ID

  func status() throws(StoreFailure) -> FileStatus {
    try attempt(path) { () throws(DiskError) in try disk.status(handle) }
  }

  func size() throws(StoreFailure) -> Int { try status().size }

  /// Fills the buffer from `offset`; returns less only where the file ends.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StoreFailure) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = try attempt(path) { () throws(DiskError) in
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
    return Array(buffer.prefix(try read(into: buffer, at: range.lowerBound)))
  }

  /// Writes all of `bytes` at `offset`, counting in `written` what is done, so that after a full disk the same
  /// call goes on at the byte where it stopped.
  func write(_ bytes: [UInt8], at offset: Int, written: inout Int) throws(StoreFailure) {
    try bytes.withUnsafeBufferPointer { bytes throws(StoreFailure) in
      while written < bytes.count {
        let rest = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[written...]))
        let place = offset + written
        let count = try attempt(path) { () throws(DiskError) in
          let count = try disk.write(handle, rest, at: place)
          // write(2) promises progress for plain files; without it this would never end.
          guard count > 0 else { throw DiskError(.write, errno: EIO) }
          return count
        }
        written += count
      }
    }
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure) {
    var written = 0
    try write(bytes, at: offset, written: &written)
  }

  func truncate(to size: Int) throws(StoreFailure) {
    try attempt(path) { () throws(DiskError) in try disk.truncate(handle, to: size) }
  }

  /// Makes the file's bytes durable. A failure is final: the kernel may have dropped the bytes and
  /// called the pages clean, so that a second sync would succeed and prove nothing (fsync(2), "EIO").
  func synchronize() throws(StoreFailure) {
    try attempt(path) { () throws(DiskError) in try disk.synchronizeData(handle) }
  }

  /// Takes the file's lock; false if another process has it.
  func lock() throws(StoreFailure) -> Bool {
    try attempt(path) { () throws(DiskError) in try disk.lock(handle) }
  }

  func close() { disk.close(handle) }

  /// Writes a range's bytes again in place. A sync that failed earlier leaves pages that look clean and
  /// are not on disk; written again they are dirty, and the next sync writes them.
  func rewrite(_ range: Range<Int>) throws(StoreFailure) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let chunk = try bytes(in: offset..<min(range.upperBound, offset + 1 << 20))
      if chunk.isEmpty { return }
      try write(chunk, at: offset)
      offset += chunk.count
    }
  }
}

extension DiskFile {
  /// Refuses what ``DiskDirectory/file(_:writing:)`` must not open.
  init(
    checking handle: DiskHandle, on disk: any Disk, _ path: String, writing: Bool,
    _ access: DiskDirectory.Access
  ) throws(DiskError) {
    let undo = { disk.close(handle) }
    let status = try closingOnFailure(undo) { () throws(DiskError) in
      let status = try disk.status(handle)
      let refusal = status.refusal(of: disk.userID, writing: writing, access: access)
      if let refusal { throw DiskError(.open, errno: refusal) }
      return status
    }
    self.init(disk: disk, handle: handle, path: path, id: status.id)
  }
}

extension FileStatus {
  /// The error number with which ``DiskDirectory/file(_:writing:)`` refuses a file of this kind, owner and mode.
  func refusal(of userID: UInt32, writing: Bool, access: DiskDirectory.Access) -> Int32? {
    guard kind == .file else { return kind == .directory ? EISDIR : ENXIO }
    guard writing else { return nil }
    if owner != userID || mode & 0o022 != 0 { return EPERM }
    // A backup may have made another name for a file of the spool (cp -al). The state's are written in place, so that
    // a copy of that kind would change with them, and secrets have one name.
    return access == .own && links != 1 ? EPERM : nil
  }
}

/// The lines of a file, without holding it in memory.
extension DiskFile {
  /// Bytes read at a time.
  private static let chunkSize = 1 << 20

  /// Hands each complete line, without its newline, to `body` with the offset where it begins.
  /// - Parameters:
  ///   - range: begins at the start of a line; bytes after its end are not read.
  ///   - progress: called with the bytes done, about every megabyte.
  ///   - body: returns false to stop at this line.
  /// - Returns: where the last line ends that `body` took, its newline included.
  @discardableResult func forEachLine(
    in range: Range<Int>, progress: (Int) -> Void = { _ in },
    _ body: (UnsafeRawBufferPointer, Int) throws(StoreFailure) -> Bool
  ) throws(StoreFailure) -> Int {
    var buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, min(Self.chunkSize, range.count)), alignment: 16)
    defer { buffer.deallocate() }
    var start = range.lowerBound  // the file offset of the buffer's first byte
    var filled = 0
    while start + filled < range.upperBound {
      if filled == buffer.count { Self.enlarge(&buffer) }
      let free = UnsafeMutableRawBufferPointer(
        rebasing: buffer[filled..<min(buffer.count, range.upperBound - start)])
      let count = try read(into: free, at: start + filled)
      if count == 0 { break }  // shorter than it was
      let known = filled  // no newline in these
      filled += count
      var line = 0
      var search = known
      while let newline = Self.firstNewline(buffer, search..<filled) {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[line..<newline])
        guard try body(bytes, start + line) else { return start + line }
        line = newline + 1
        search = line
      }
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[line..<filled]))
      start += line
      filled -= line
      progress(start - range.lowerBound)
    }
    return start
  }

  /// Where the last `count` complete lines of the file's first `size` bytes begin, and how many there are.
  func lastLines(
    _ count: Int, before size: Int, progress: (Int) -> Void = { _ in }
  ) throws(StoreFailure) -> (start: Int, count: Int) {
    guard count > 0, size > 0 else { return (size, 0) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(Self.chunkSize, size), alignment: 16)
    defer { buffer.deallocate() }
    var end = size
    var newlines = 0
    while end > 0 {
      let begin = max(0, end - Self.chunkSize)
      let chunk = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(end - begin)])
      var rest = try read(into: chunk, at: begin)
      while let newline = chunk[..<rest].lastIndex(of: 0x0A) {
        // The newline before the wanted lines ends the line that is not wanted any more.
        if newlines == count { return (begin + newline + 1, count) }
        newlines += 1
        rest = newline
      }
      end = begin
      progress(size - end)
    }
    return (0, newlines)
  }

  /// Writes a range again, syncs it, and counts its events up to the first line that isn't one.
  func provenEvents(
    in range: Range<Int>, progress: (Int) -> Void = { _ in }
  ) throws(StoreFailure) -> (end: Int, count: UInt64) {
    try rewrite(range)
    try synchronize()
    var count: UInt64 = 0
    let end = try forEachLine(in: range, progress: progress) { line, _ throws(StoreFailure) in
      guard EventLine.identity(of: line) != nil else { return false }
      count += 1
      return true
    }
    return (end, count)
  }

  private static func firstNewline(_ buffer: UnsafeMutableRawBufferPointer, _ range: Range<Int>) -> Int? {
    guard let base = buffer.baseAddress, !range.isEmpty,
      let found = memchr(base + range.lowerBound, 0x0A, range.count)
    else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  private static func enlarge(_ buffer: inout UnsafeMutableRawBufferPointer) {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
    buffer.deallocate()
    buffer = larger
  }
}
