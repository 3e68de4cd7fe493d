/// A date and time of day in UTC, to the second: the one calendar of this package.
///
/// It reads and writes RFC 3339 (section 5.6) and the dates of HTTP headers (RFC 9110, section 5.6.7), for
/// the years 0 to 9999 of the proleptic Gregorian calendar. A leap second counts as the second after it.
package struct UTCDate: Hashable, Comparable, Sendable {
  /// Seconds since 1970-01-01T00:00:00Z.
  package let secondsSince1970: Int64

  private static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

  /// A moment outside the years 0 to 9999 takes the nearer end.
  package init(secondsSince1970: Int64) {
    self.secondsSince1970 = min(max(secondsSince1970, Self.range.lowerBound), Self.range.upperBound)
  }

  /// Rounds down to a second; nil outside the years 0 to 9999.
  package init?(secondsSince1970: Double) {
    guard let seconds = Int64(exactly: secondsSince1970.rounded(.down)), Self.range ~= seconds else {
      return nil
    }
    self.secondsSince1970 = seconds
  }

  package static func < (left: Self, right: Self) -> Bool { left.secondsSince1970 < right.secondsSince1970 }

  /// Nil for a date or time of day that does not exist: 30 February would come back as a day of March.
  private init?(
    year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64, minutesEast: Int64 = 0
  ) {
    let days = Self.daysSince1970(year, month, day)
    guard Self.date(daysSince1970: days) == (year, month, day), 0...23 ~= hour, 0...59 ~= minute,
      0...60 ~= second
    else { return nil }
    self.init(secondsSince1970: ((days * 24 + hour) * 60 + minute - minutesEast) * 60 + second)
  }
}

// MARK: RFC 3339

extension UTCDate {
  /// `2026-02-28T23:59:59Z`.
  package var rfc3339: String {
    let (days, second) = secondsSince1970.flooredQuotientAndRemainder(dividingBy: 86_400)
    let (year, month, day) = Self.date(daysSince1970: days)
    return "\(Self.padded(year, 4))-\(Self.padded(month))-\(Self.padded(day))"
      + "T\(Self.padded(second / 3600)):\(Self.padded(second / 60 % 60)):\(Self.padded(second % 60))Z"
  }

  /// Reads a date and time with any offset; a fraction of a second is dropped.
  /// - Parameter text: ASCII, such as `2026-02-28T15:59:59.123-08:00`; nil for anything else.
  package init?(rfc3339 text: some Collection<UInt8>) {
    guard 20...40 ~= text.count else { return nil }
    let bytes = Array(text)
    guard let year = Self.number(bytes[0..<4]), bytes[4] == UInt8(ascii: "-"),
      let month = Self.number(bytes[5..<7]), bytes[7] == UInt8(ascii: "-"),
      let day = Self.number(bytes[8..<10]), bytes[10] | 0x20 == UInt8(ascii: "t"),
      let hour = Self.number(bytes[11..<13]), bytes[13] == UInt8(ascii: ":"),
      let minute = Self.number(bytes[14..<16]), bytes[16] == UInt8(ascii: ":"),
      let second = Self.number(bytes[17..<19])
    else { return nil }
    var rest = bytes[19...]
    if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { 0x30...0x39 ~= $0 } }
    guard let east = Self.minutesEast(Array(rest)) else { return nil }
    self.init(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second, minutesEast: east)
  }

  package init?(rfc3339 text: some StringProtocol) { self.init(rfc3339: text.utf8) }

  /// `Z`, `+hh:mm` or `-hh:mm`.
  private static func minutesEast(_ text: [UInt8]) -> Int64? {
    if text.count == 1 { return text[0] | 0x20 == UInt8(ascii: "z") ? 0 : nil }
    guard text.count == 6, let hours = number(text[1..<3]), text[3] == UInt8(ascii: ":"),
      let minutes = number(text[4..<6]), hours < 24, minutes < 60
    else { return nil }
    switch text[0] {
    case UInt8(ascii: "+"): return hours * 60 + minutes
    case UInt8(ascii: "-"): return -(hours * 60 + minutes)
    default: return nil
    }
  }
}

// MARK: HTTP

extension UTCDate {
  private static let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(separator: " ")
  /// 1970 began with a Thursday.
  private static let weekdays = "Thu Fri Sat Sun Mon Tue Wed".split(separator: " ")

  /// `Sun, 06 Nov 1994 08:49:37 GMT`.
  package var httpDate: String {
    let (days, second) = secondsSince1970.flooredQuotientAndRemainder(dividingBy: 86_400)
    let (year, month, day) = Self.date(daysSince1970: days)
    let weekday = Self.weekdays[Int(days.flooredQuotientAndRemainder(dividingBy: 7).1)]
    return "\(weekday), \(Self.padded(day)) \(Self.months[Int(month) - 1]) \(Self.padded(year, 4)) "
      + "\(Self.padded(second / 3600)):\(Self.padded(second / 60 % 60)):\(Self.padded(second % 60)) GMT"
  }

  /// Reads a date in any of the three forms that a recipient has to accept:
  ///
  ///     Sun, 06 Nov 1994 08:49:37 GMT
  ///     Sunday, 06-Nov-94 08:49:37 GMT
  ///     Sun Nov  6 08:49:37 1994
  package init?(httpDate text: some StringProtocol) {
    guard text.utf8.count <= 64 else { return nil }
    let parts = text.split { " ,-".contains($0) }
    let order: (day: Int, month: Int, year: Int, time: Int)
    switch parts.count {
    case 6 where parts[5] == "GMT" || parts[5] == "UTC": order = (day: 1, month: 2, year: 3, time: 4)
    case 5: order = (day: 2, month: 1, year: 4, time: 3)
    default: return nil
    }
    let time = parts[order.time].split(separator: ":", omittingEmptySubsequences: false)
      .map { Self.number($0.utf8) }
    let name = parts[order.month].lowercased()
    guard let month = Self.months.firstIndex(where: { $0.lowercased() == name }),
      let year = Self.number(parts[order.year].utf8), let day = Self.number(parts[order.day].utf8),
      time.count == 3, let hour = time[0], let minute = time[1], let second = time[2]
    else { return nil }
    // Two digits are at most 50 years ahead; no server is from before 1970.
    let century: Int64 = parts[order.year].utf8.count > 2 ? 0 : year < 70 ? 2000 : 1900
    guard year + century >= 1970 else { return nil }
    self.init(
      year: year + century, month: Int64(month) + 1, day: day, hour: hour, minute: minute, second: second)
  }
}

// MARK: The calendar

extension UTCDate {
  /// Up to four digits and nothing else.
  private static func number(_ digits: some Collection<UInt8>) -> Int64? {
    guard 1...4 ~= digits.count, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
  }

  private static func padded(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  // Both ways count from 1 March, so that the leap day is the last of a year; 400 years have 146,097 days.
  // Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days.

  private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let (era, yearOfEra) = (month > 2 ? year : year - 1).flooredQuotientAndRemainder(dividingBy: 400)
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func date(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (daysSince1970 + 719_468).flooredQuotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }
}

extension Int64 {
  fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
