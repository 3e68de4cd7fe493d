/// Times as RFC 3339 text, UTC, whole seconds: `2026-03-01T07:05:09Z`.
enum UTCTime {
  /// Nil for what is no time between the years 0 and 9999.
  static func text(_ secondsSince1970: Double) -> String? {
    guard secondsSince1970.isFinite, abs(secondsSince1970) < 253_402_300_800 else { return nil }
    let seconds = Int64(secondsSince1970.rounded(.down))
    let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let (year, month, dayOfMonth) = date(daysSince1970: day)
    guard (0...9_999).contains(year) else { return nil }
    let second = seconds - day * 86_400
    return "\(padded(year, 4))-\(padded(month))-\(padded(dayOfMonth))"
      + "T\(padded(second / 3_600)):\(padded(second / 60 % 60)):\(padded(second % 60))Z"
  }

  /// Seconds since 1970 of text that ``text(_:)`` wrote.
  static func seconds(_ text: String) -> Double? {
    let bytes = Array(text.utf8)
    guard bytes.count == 20, bytes[10] == UInt8(ascii: "T"), bytes[19] == UInt8(ascii: "Z") else {
      return nil
    }
    let fields = [0..<4, 5..<7, 8..<10, 11..<13, 14..<16, 17..<19].compactMap { range in
      Int64(String(decoding: bytes[range], as: UTF8.self))
    }
    guard fields.count == 6, fields.allSatisfy({ $0 >= 0 }) else { return nil }
    let day = days(year: fields[0], month: fields[1], day: fields[2])
    return Double(day * 86_400 + fields[3] * 3_600 + fields[4] * 60 + fields[5])
  }

  private static func padded(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
  }

  // Both ways by counting from 1 March of year 0, so that the leap day is the year's last; a
  // 400-year era has 146,097 days.
  private static func date(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let days = daysSince1970 + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = month <= 2 ? year - 1 : year
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
