/// Name and value pairs of a query string or a form.
struct Query: Sendable {
  private var items: [(name: String, value: String)] = []

  /// Reads `a=1&b=2`, percent-decoded, `+` as a space.
  init(_ text: some StringProtocol) {
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      items.append((Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : ""))
    }
  }

  /// The first value under this name.
  subscript(name: String) -> String? { items.first { $0.name == name }?.value }

  /// A whole number under this name; nil if absent or no number.
  func integer(_ name: String) -> Int? { self[name].flatMap { Int($0) } }

  private static func decoded(_ text: some StringProtocol) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(text)
    }
    var bytes: [UInt8] = []
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(0x20)
      case UInt8(ascii: "%"):
        let digits = [rest.next(), rest.next()].compactMap { $0 }
        if let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) { bytes.append(code) }
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
