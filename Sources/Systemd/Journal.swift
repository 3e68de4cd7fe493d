import CSystemd
import Glibc

/// systemd's journal, as seen by a process that logs to it.
package enum Journal {
  /// Whether this process's standard error leads to the journal, so that native entries and stray
  /// output end up in the same place. Redirected, or started by hand, it doesn't.
  /// See systemd.exec(5), `$JOURNAL_STREAM`.
  package static var isConnected: Bool {
    var status = stat()
    guard fstat(STDERR_FILENO, &status) == 0 else { return false }
    return isStream(
      ProcessEnvironment.value(of: "JOURNAL_STREAM"),
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// Whether `$JOURNAL_STREAM`, `device:inode` in decimal, names this file.
  static func isStream(_ variable: String?, device: UInt64, inode: UInt64) -> Bool {
    guard let parts = variable?.split(separator: ":", omittingEmptySubsequences: false), parts.count == 2
    else { return false }
    return UInt64(parts[0]) == device && UInt64(parts[1]) == inode
  }

  /// Hands one entry to the journal.
  /// - Returns: whether it was taken. Where no journal runs at all, it is taken and dropped.
  ///
  /// The corresponding C function is `sd_journal_sendv`.
  static func send(_ entry: JournalEntry) -> Bool {
    switch sendResult(entry) {
    case .success: true
    case .failure: false
    }
  }

  private static func sendResult(_ entry: JournalEntry) -> Result<CInt, Errno> {
    var (bytes, ends) = entry.packed()
    let result = bytes.withUnsafeMutableBytes { buffer in
      let vectors = fields(of: buffer, endingAt: ends)
      return sd_journal_sendv(vectors, CInt(clamping: vectors.count))
    }
    return valueOrErrno(result)
  }

  /// Each field with its length: a value may hold any byte, an equals sign or a zero included.
  private static func fields(of buffer: UnsafeMutableRawBufferPointer, endingAt ends: [Int]) -> [iovec] {
    var start = 0
    return ends.map { end in
      defer { start = end }
      let field = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<end])
      return iovec(iov_base: field.baseAddress, iov_len: field.count)
    }
  }
}
