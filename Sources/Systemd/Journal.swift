import CSystemd
import Glibc
internal import Logging

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
    var (bytes, ends) = entry.packed()
    return bytes.withUnsafeMutableBytes { buffer in
      // Each field with its length: a value may hold any byte, an equals sign or a zero included.
      var start = 0
      let vectors = ends.map { end in
        defer { start = end }
        let field = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<end])
        return iovec(iov_base: field.baseAddress, iov_len: field.count)
      }
      return sd_journal_sendv(vectors, CInt(clamping: vectors.count)) >= 0
    }
  }
}

/// One entry of the journal: a list of fields. See systemd.journal-fields(7).
struct JournalEntry: Sendable {
  /// In the order they are sent. A name may occur more than once.
  var fields: [(name: String, value: String)]

  /// The entry of a log event.
  /// - Parameter metadata: everything that counts for the event, the handler's included.
  init(_ event: LogEvent, metadata: Logger.Metadata) {
    fields = [
      ("MESSAGE", LogText(event.message, metadata: metadata).description),
      ("PRIORITY", String(event.level.priority)),
      // What journalctl shows before the text.
      ("SYSLOG_IDENTIFIER", "box-eventd"),
      ("CODE_FILE", LogText.escaped(event.file)),
      ("CODE_LINE", String(event.line)),
      ("CODE_FUNC", LogText.escaped(event.function)),
    ]
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      fields.append((Self.name(of: key), LogText.escaped(value.description)))
    }
  }

  /// The journal's name for a metadata key: `stream` is `BOX_STREAM`, `message_id` is `MESSAGE_ID`.
  ///
  /// Only capital letters, digits and underscores are allowed, at most 64 of them; the journal drops
  /// a field with another name.
  static func name(of key: String) -> String {
    if key == MessageID.metadataKey { return "MESSAGE_ID" }
    let allowed = key.unicodeScalars.prefix(60).map { scalar -> Character in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9": Character(scalar)
      default: "_"
      }
    }
    return "BOX_" + String(allowed).uppercased()
  }

  /// Every field as `NAME=value`, one after the other, and where each of them ends.
  func packed() -> (bytes: [UInt8], ends: [Int]) {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for field in fields {
      bytes += field.name.utf8
      bytes.append(UInt8(ascii: "="))
      bytes += field.value.utf8
      ends.append(bytes.count)
    }
    return (bytes, ends)
  }
}

extension Logger.Level {
  /// The level as syslog(3) counts them.
  var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
