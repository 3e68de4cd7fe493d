internal import Logging

/// One entry of the journal as a list of fields. See systemd.journal-fields(7).
struct JournalEntry: Hashable, Sendable {
  struct Field: Hashable, Sendable {
    var name: String
    var value: String
  }

  /// In the order they are sent. A name may stand more than once.
  var fields: [Field]

  /// The entry of a log event.
  /// - Parameters:
  ///   - metadata: everything that counts for the event, the handler's included.
  ///   - identifier: `SYSLOG_IDENTIFIER=`, what journalctl shows before the text.
  init(_ event: LogEvent, metadata: Logger.Metadata, identifier: String) {
    fields = [
      Field(name: "MESSAGE", value: LogText(event.message, metadata: metadata).description),
      Field(name: "PRIORITY", value: String(event.level.priority)),
      Field(name: "SYSLOG_IDENTIFIER", value: identifier),
      Field(name: "CODE_FILE", value: LogText.escaped(event.file)),
      Field(name: "CODE_LINE", value: String(event.line)),
      Field(name: "CODE_FUNC", value: LogText.escaped(event.function)),
    ]
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      fields.append(Field(name: Self.name(of: key), value: LogText.escaped(value.description)))
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

  /// Every field as `NAME=value`, one behind the other, and where each of them ends.
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
