/// One line of the spool's own `.ndjson` files, written member by member.
struct JSONLine {
  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  /// The whole line with its newline.
  var finished: [UInt8] { bytes + [UInt8(ascii: "}"), UInt8(ascii: "\n")] }

  mutating func add(_ key: String, _ text: String?) {
    guard let text else { return }
    begin(key)
    appendString(text)
  }

  mutating func add(_ key: String, _ number: some BinaryInteger) {
    begin(key)
    bytes.append(contentsOf: String(number).utf8)
  }

  private mutating func begin(_ key: String) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    appendString(key)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func appendString(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        bytes.append(contentsOf: "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
