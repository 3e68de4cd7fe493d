import Crypto

/// What makes two events the same event: a 128-bit hash of its `event_id`, or of its line.
///
/// The hash is the first half of SHA-256: someone who can shape an event's id can't make two ids collide to
/// hide an event. An id counts by its text: `7` and `"7"` are one id, since Box has
/// changed between numbers and strings before. An event without a usable id is known by its line.
package struct EventIdentity: Hashable, Sendable, LosslessStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The identity of an event whose `event_id`, escapes resolved, is `id`.
  package init(id: UnsafeRawBufferPointer) { self.init(SHA256.hash(data: id)) }

  /// The identity of an event without an id: of its line, without the newline.
  package init(line: UnsafeRawBufferPointer) {
    var hash = SHA256()
    hash.update(data: [0])  // no id starts with a NUL of its own, so lines and ids don't meet
    hash.update(bufferPointer: line)
    self.init(hash.finalize())
  }

  private init(_ digest: SHA256.Digest) {
    self = digest.withUnsafeBytes { bytes in
      EventIdentity(
        high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }

  /// Reads the first 32 hexadecimal digits of a text; a longer one is a full SHA-256.
  package init?(_ text: String) {
    let digits = text.utf8.prefix(32)
    guard digits.count == 32, digits.allSatisfy({ Hexadecimal.value(of: $0) != nil }),
      let high = UInt64(text.prefix(16), radix: 16),
      let low = UInt64(text.dropFirst(16).prefix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  /// 32 lower-case hexadecimal digits.
  package var description: String {
    Hexadecimal.text(of: [high, low].flatMap { withUnsafeBytes(of: $0.bigEndian) { Array($0) } })
  }

  // SHA-256 output is uniform: half of it is hash enough.
  package func hash(into hasher: inout Hasher) { hasher.combine(low) }
}

/// A line of a spool file, as recovery and verification read it.
package enum EventLine {
  /// The identity of the event on a line; nil if the line is not one valid JSON object.
  /// - Parameter line: the line without its newline.
  package static func identity(of line: UnsafeRawBufferPointer) -> EventIdentity? {
    guard line.first == UInt8(ascii: "{") else { return nil }
    var scanner = JSONScanner(line)
    guard let members = try? EventMembers(&scanner), scanner.index == line.count, !scanner.sawLineBreak else {
      return nil
    }
    return members.id.map { JSONText.identity(line, $0) } ?? EventIdentity(line: line)
  }
}

/// Hexadecimal text: written in lower case, read in either.
package enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  package static func text(of bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The value of one ASCII digit, 0 to 15; nil for any other byte.
  package static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
