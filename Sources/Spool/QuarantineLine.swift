import BoxEvents
import Crypto

/// A line of `quarantine.ndjson`: an entry that is not an event, as Box sent it.
enum QuarantineLine {
  static let fileName = "quarantine.ndjson"

  /// - Parameters:
  ///   - entry: the entry's bytes; as text where they are UTF-8, otherwise in Base64 as `entry_base64`.
  ///   - time: local seconds since 1970.
  static func line(
    _ entry: ArraySlice<UInt8>, reason: String, readFrom: ReadPosition, time: Int64
  ) -> [UInt8] {
    var object = JSONObjectWriter()
    object.add("time", UTCDate(secondsSince1970: time).rfc3339)
    object.add("reason", reason)
    object.add("read_from", readFrom.description)
    object.add("sha256", Hexadecimal.text(of: SHA256.hash(data: entry)))
    if let text = String(validating: entry, as: UTF8.self) {
      object.add("entry", text)
    } else {
      object.add("entry_base64", Base64.text(of: entry))
    }
    return object.line
  }

  /// What an entry is known by: half of its SHA-256.
  static func identity(of entry: ArraySlice<UInt8>) -> EventIdentity {
    entry.withUnsafeBytes { EventIdentity(id: $0) }
  }

  /// The identity of the entry on a line, from its `sha256`.
  static func identity(on line: some Sequence<UInt8>) -> EventIdentity? {
    JSONDocument(Array(line))?["sha256"].text.flatMap { EventIdentity($0) }
  }
}

/// Base64 (RFC 4648, section 4) for bytes that are not text.
enum Base64 {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func text(of bytes: some Collection<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var group: UInt32 = 0
    var count = 0
    for byte in bytes {
      group = group << 8 | UInt32(byte)
      count += 1
      if count == 3 {
        append(group, digits: 4, to: &text)
        (group, count) = (0, 0)
      }
    }
    if count > 0 { append(group << (8 * UInt32(3 - count)), digits: count + 1, to: &text) }
    return String(decoding: text, as: UTF8.self)
  }

  private static func append(_ group: UInt32, digits count: Int, to text: inout [UInt8]) {
    for place in 0..<4 {
      text.append(place < count ? digits[Int(group >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
    }
  }
}
