public import BoxEvents
import Glibc

/// Dates as HTTP headers carry them (RFC 9110, 5.6.7): all three forms, always UTC.
///
///     Sun, 06 Nov 1994 08:49:37 GMT
///     Sunday, 06-Nov-94 08:49:37 GMT
///     Sun Nov  6 08:49:37 1994
public enum HTTPDate {
  /// Nil for anything that is no date.
  public static func parse(_ text: some StringProtocol) -> BoxTime? {
    guard text.utf8.count <= 64 else { return nil }
    let parts = String(text).split { " ,-".contains($0) }.map(String.init)
    switch parts.count {
    case 6 where parts[5] == "GMT" || parts[5] == "UTC":
      return time(year: parts[3], month: parts[2], day: parts[1], clock: parts[4])
    case 5: return time(year: parts[4], month: parts[1], day: parts[2], clock: parts[3])
    default: return nil
    }
  }

  /// This machine's clock. Only for what a server can't say: an assertion's `exp`, and a
  /// `Retry-After` date in an answer without `Date`.
  static func localNow() -> BoxTime {
    BoxTime(secondsSince1970: Int64(Glibc.time(nil)))
  }

  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  private static func time(year: String, month: String, day: String, clock: String) -> BoxTime? {
    let parts = clock.split(separator: ":", omittingEmptySubsequences: false).map { number($0) }
    guard let month = months.firstIndex(of: month.lowercased()).map({ $0 + 1 }),
      let year = number(year).map({ fullYear($0, digits: year.utf8.count) }), 1970...9999 ~= year,
      let day = number(day), 1...daysIn(month, of: year) ~= day,
      parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
      hour < 24, minute < 60, second <= 60
    else { return nil }
    let days = daysSince1970(year, month, day)
    return BoxTime(secondsSince1970: Int64(((days * 24 + hour) * 60 + minute) * 60 + second))
  }

  private static func number(_ text: some StringProtocol) -> Int? {
    guard 1...4 ~= text.utf8.count, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    return Int(text)
  }

  private static func fullYear(_ year: Int, digits: Int) -> Int {
    guard digits == 2 else { return year }
    return year < 70 ? 2000 + year : 1900 + year
  }

  private static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private static func daysIn(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let past = year - 1
    let leapDays = past / 4 - past / 100 + past / 400
    let inYear = (1..<month).reduce(day) { $0 + daysIn($1, of: year) }
    return past * 365 + leapDays + inYear - 719_163
  }
}
