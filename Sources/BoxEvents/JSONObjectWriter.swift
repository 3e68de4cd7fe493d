/// Writes a JSON object member by member, in the order they are added.
///
/// `JSONEncoder` keeps no order and leaves nil members out; the formats of this package promise both.
package struct JSONObjectWriter: Sendable {
  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  package init() {}

  /// The object.
  package var text: String { String(decoding: bytes, as: UTF8.self) + "}" }
  /// The object with a newline: a line of a `.ndjson` file.
  package var line: [UInt8] { bytes + [UInt8(ascii: "}"), UInt8(ascii: "\n")] }

  /// - Parameter json: the value, valid JSON already.
  package mutating func add(_ key: String, raw json: String) {
    add(key)
    bytes.append(contentsOf: json.utf8)
  }

  private mutating func add(_ key: String) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    Self.append(key, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
  }

  package mutating func add(_ key: String, _ value: some BinaryInteger) { add(key, raw: String(value)) }
  package mutating func add(_ key: String, _ value: String?) {
    guard let value else { return add(key, raw: "null") }
    add(key)
    Self.append(value, to: &bytes)
  }
  package mutating func add(_ key: String, _ value: Double?) {
    add(key, raw: value.flatMap(Self.number) ?? "null")
  }

  /// Whole numbers without a fraction; nil for infinities and NaN.
  package static func number(_ value: Double) -> String? {
    guard value.isFinite else { return nil }
    return Int64(exactly: value).map { String($0) } ?? "\(value)"
  }

  /// A JSON string with its quotes. Control characters and DEL are escaped.
  package static func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    append(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == 0x22 || $0 == 0x5C }) else {
      return bytes.append(contentsOf: text.utf8)
    }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0..<0x20, 0x7F: bytes.append(contentsOf: "\\u00\(Hexadecimal.text(of: [byte]))".utf8)
      default: bytes.append(byte)
      }
    }
  }
}
