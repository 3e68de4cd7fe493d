import BoxEvents
import Glibc

/// Walks over the lines of a file without holding it in memory.
enum LineScan {
  private static let chunkSize = 1 << 20

  /// Hands each whole line, without its newline, to `body` with the offset where it begins.
  /// - Parameters:
  ///   - range: begins at the start of a line; bytes behind its end are not looked at.
  ///   - progress: called with the bytes done, about every megabyte.
  ///   - body: returns false to stop at this line.
  /// - Returns: where the last line ends that `body` took, its newline included.
  static func lines(
    of file: DiskFile, in range: Range<Int>, progress: (Int) -> Void = { _ in },
    _ body: (UnsafeRawBufferPointer, Int) throws(StoreFailure) -> Bool
  ) throws(StoreFailure) -> Int {
    var buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, min(chunkSize, range.count)), alignment: 16)
    defer { buffer.deallocate() }
    var start = range.lowerBound  // the file offset of the buffer's first byte
    var filled = 0
    while start + filled < range.upperBound {
      if filled == buffer.count { enlarge(&buffer) }
      let free = UnsafeMutableRawBufferPointer(
        rebasing: buffer[filled..<min(buffer.count, range.upperBound - start)])
      let count = try file.read(into: free, at: start + filled)
      if count == 0 { break }  // shorter than it was
      let known = filled  // no newline in these
      filled += count
      var line = 0
      var search = known
      while let newline = firstNewline(buffer, search..<filled) {
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

  /// Where the last `count` whole lines of a file's first `size` bytes begin, and how many there are.
  static func lastLines(
    _ count: Int, of file: DiskFile, size: Int
  ) throws(StoreFailure) -> (start: Int, count: Int) {
    guard count > 0, size > 0 else { return (size, 0) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(chunkSize, size), alignment: 16)
    defer { buffer.deallocate() }
    var end = size
    var newlines = 0
    while end > 0 {
      let begin = max(0, end - chunkSize)
      let chunk = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(end - begin)])
      var rest = try file.read(into: chunk, at: begin)
      while let newline = lastNewline(chunk, rest) {
        // The newline before the wanted lines ends the line that is not wanted any more.
        if newlines == count { return (begin + newline + 1, count) }
        newlines += 1
        rest = newline
      }
      end = begin
    }
    return (0, newlines)
  }

  private static func firstNewline(_ buffer: UnsafeMutableRawBufferPointer, _ range: Range<Int>) -> Int? {
    guard let base = buffer.baseAddress, !range.isEmpty,
      let found = memchr(base + range.lowerBound, 0x0A, range.count)
    else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  private static func lastNewline(_ buffer: UnsafeMutableRawBufferPointer, _ end: Int) -> Int? {
    var index = end - 1
    while index >= 0, buffer[index] != 0x0A { index -= 1 }
    return index < 0 ? nil : index
  }

  private static func enlarge(_ buffer: inout UnsafeMutableRawBufferPointer) {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
    buffer.deallocate()
    buffer = larger
  }
}
