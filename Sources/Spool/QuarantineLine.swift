import BoxEvents
import Crypto

/// A line of `quarantine.ndjson`: an entry that is no event, as Box sent it.
enum QuarantineLine {
  static let fileName = "quarantine.ndjson"

  /// - Parameters:
  ///   - entry: the entry's bytes; as text where they are UTF-8, otherwise in Base64 as `entry_base64`.
  ///   - time: local seconds since 1970.
  static func line(
    _ entry: ArraySlice<UInt8>, reason: String, readFrom: ReadPosition, time: Int64
  ) -> [UInt8] {
    var line = JSONLine()
    line.add("time", Timestamp.text(time))
    line.add("reason", reason)
    line.add("read_from", readFrom.description)
    line.add("sha256", Hexadecimal.text(of: SHA256.hash(data: entry)))
    if let text = String(validating: entry, as: UTF8.self) {
      line.add("entry", text)
    } else {
      line.add("entry_base64", Base64.text(of: entry))
    }
    return line.finished
  }

  /// What an entry is known by: half of its SHA-256.
  static func identity(of entry: ArraySlice<UInt8>) -> EventIdentity {
    entry.withUnsafeBytes { EventIdentity(id: $0) }
  }

  /// The identity of the entry on a line, from its `sha256`.
  static func identity(on line: some Sequence<UInt8>) -> EventIdentity? {
    guard let text = JSONDocument(Array(line))?["sha256"].text, text.utf8.count == 64,
      let high = UInt64(text.prefix(16), radix: 16),
      let low = UInt64(text.dropFirst(16).prefix(16), radix: 16)
    else { return nil }
    return EventIdentity(high: high, low: low)
  }
}
