import Crypto

/// What makes two events the same event: a 128-bit hash of its `event_id`, or of its whole line.
///
/// The hash is the first half of SHA-256, so that nobody who can shape an event's id can make two
/// ids collide and hide an event. An id counts by its text: `7` and `"7"` are one id, since Box has
/// changed between numbers and strings before. An event without a usable id is known by its line.
package struct EventIdentity: Hashable, Sendable, LosslessStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The identity of an event whose `event_id`, escapes resolved, is `id`.
  package init(id: UnsafeRawBufferPointer) {
    self.init(SHA256.hash(data: id))
  }

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
    [high, low].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }.joined()
  }

  // SHA-256 output is uniform: half of it is hash enough.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(low)
  }
}
