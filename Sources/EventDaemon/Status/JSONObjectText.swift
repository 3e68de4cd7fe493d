/// A JSON object being written, members in the order they are added; nil becomes `null`.
///
/// `JSONEncoder` keeps no order and leaves nil members out, and this report promises both.
struct JSONObjectText {
  private var members: [String] = []

  var text: String { "{" + members.joined(separator: ",") + "}" }

  mutating func add(_ key: String, raw json: String) {
    members.append("\"\(key)\":\(json)")
  }

  mutating func add(_ key: String, _ value: String?) {
    add(key, raw: value.map(Self.quoted) ?? "null")
  }

  mutating func add(_ key: String, _ value: UInt64) {
    add(key, raw: String(value))
  }

  mutating func add(_ key: String, _ value: Double?) {
    add(key, raw: value.flatMap(Self.number) ?? "null")
  }

  /// Whole numbers without a fraction; nil for what JSON has no number for.
  static func number(_ value: Double) -> String? {
    guard value.isFinite else { return nil }
    return Int64(exactly: value).map { String($0) } ?? "\(value)"
  }

  static func quoted(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": json += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }
}
