/// Moments as they stand in the spool's own files: RFC 3339 in UTC, whole seconds.
enum Timestamp {
  private static let years1970To9999: ClosedRange<Int64> = 0...253_402_300_799

  /// `2026-02-28T23:59:59Z`; a moment outside the years 1970 to 9999 takes the nearer end.
  static func text(_ secondsSince1970: Int64) -> String {
    let seconds = min(max(secondsSince1970, years1970To9999.lowerBound), years1970To9999.upperBound)
    let (year, month, day) = date(days: seconds / 86_400)
    let rest = seconds % 86_400
    return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T"
      + "\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))Z"
  }

  /// Reads exactly what ``text(_:)`` writes.
  static func seconds(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 20 else { return nil }
    func number(_ range: Range<Int>) -> Int64? {
      Int64(String(decoding: bytes[range], as: UTF8.self))
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      1970...9999 ~= year, 1...12 ~= month, 1...31 ~= day
    else { return nil }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return Self.text(seconds) == text ? seconds : nil
  }

  private static func pad(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that
  /// the leap day is a year's last.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let marchMonth = (month + 9) % 12
    let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
    return marchYear * 365 + leapDays + (marchMonth * 153 + 2) / 5 + day - 1 - 719_468
  }

  private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    var year = 1970 + days / 366
    while Self.days(year + 1, 1, 1) <= days { year += 1 }
    var month: Int64 = 1
    while month < 12, Self.days(year, month + 1, 1) <= days { month += 1 }
    return (year, month, days - Self.days(year, month, 1) + 1)
  }
}
