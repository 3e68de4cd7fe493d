/// Text from elsewhere made fit for one line of a terminal, a log or a unit's status.
enum PlainText {
  /// Control characters, line separators and the marks that turn writing direction are written as
  /// `\u{…}`: what Box or a file says can't start a line of its own or rearrange one.
  static func line(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isUnfit) else { return text }
    return text.unicodeScalars.reduce(into: "") { line, scalar in
      if isUnfit(scalar) {
        line += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        line.unicodeScalars.append(scalar)
      }
    }
  }

  private static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: true
    // Bidirectional marks, embeddings, overrides and isolates: UAX #9.
    case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  /// Digits in groups of three: `1 204 331`.
  static func count(_ number: UInt64) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(" ") }
      text.append(digit)
    }
    return text
  }

  /// A span of time in its largest unit, two below a day: `12 s`, `3 min`, `2 h 5 min`, `3 d`.
  static func span(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds > 0 else { return "0 s" }
    let whole = Int64(min(seconds, 1e12))
    switch whole {
    case 0..<60: return "\(whole) s"
    case 60..<3_600: return "\(whole / 60) min"
    case 3_600..<86_400:
      let minutes = whole % 3_600 / 60
      return "\(whole / 3_600) h" + (minutes > 0 ? " \(minutes) min" : "")
    default: return "\(whole / 86_400) d"
    }
  }
}
