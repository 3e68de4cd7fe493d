import BoxEvents

/// `application/x-www-form-urlencoded` text, and the percent-encoding of query values.
enum FormEncoding {
  /// The body of a form.
  static func body(_ fields: [(name: String, value: String)]) -> String {
    fields.map { "\(escaped($0.name))=\(escaped($0.value))" }.joined(separator: "&")
  }

  /// A value with everything but RFC 3986's unreserved characters percent-encoded.
  static func escaped(_ value: String) -> String {
    var result: [UInt8] = []
    for byte in value.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        result.append(byte)
      default:
        result += Array("%\(Hexadecimal.text(of: [byte]).uppercased())".utf8)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// A value with its percent-encoding resolved and, in a query, `+` read as a space.
  /// Nil for a malformed escape or invalid UTF-8.
  static func unescaped(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
    var result: [UInt8] = []
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = bytes.popFirst().flatMap(Hexadecimal.value),
          let low = bytes.popFirst().flatMap(Hexadecimal.value)
        else { return nil }
        result.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: result.append(0x20)
      default: result.append(byte)
      }
    }
    return String(validating: result, as: UTF8.self)
  }

  /// The value of a query item, from `a=1&b=2`.
  static func value(of name: String, in query: some StringProtocol) -> String? {
    for item in query.split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == name else { continue }
      return unescaped(parts[1], plusIsSpace: true)
    }
    return nil
  }
}

extension String {
  /// Without white space at either end: files with secrets usually end with a newline.
  var trimmed: String {
    let body = drop { $0.isWhitespace }
    guard let end = body.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(body[...end])
  }
}
