/// Metrics as people read them.
enum MetricText {
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
