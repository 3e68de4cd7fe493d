/// Base64 (RFC 4648, section 4) for bytes that are no text.
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
      text.append(
        place < count ? digits[Int(group >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
    }
  }
}
