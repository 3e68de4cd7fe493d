extension Duration {
  /// Reads a duration as the configuration writes it: whole `s`, `m`, `h`, `d` or `w`, or `0`.
  /// Nil for anything else, and above 100 years.
  init?(configured text: some StringProtocol) {
    guard text != "0" else {
      self = .zero
      return
    }
    guard let unit = text.last, let seconds = Self.secondsByUnit[unit] else { return nil }
    let digits = text.dropLast()
    guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int64(digits) else { return nil }
    let (total, overflow) = number.multipliedReportingOverflow(by: seconds)
    guard !overflow, total <= 36_500 * 86_400 else { return nil }
    self = .seconds(total)
  }

  private static let secondsByUnit: [Character: Int64] = [
    "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800,
  ]
}
