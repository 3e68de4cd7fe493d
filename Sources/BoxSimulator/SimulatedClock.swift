import Glibc
import NIOCore

/// The simulator's clock: this machine's, shifted, so that a client's clock can be wrong by Box's.
struct SimulatedClock: Sendable {
  var offset: Duration

  /// Whole seconds since 1970-01-01 UTC.
  var secondsSince1970: Int64 {
    Int64(time(nil)) + offset.components.seconds
  }

  /// CLOCK_MONOTONIC in nanoseconds: comparable between the processes of one machine.
  static var monotonicNanoseconds: UInt64 {
    NIODeadline.now().uptimeNanoseconds
  }
}

/// A moment split into the fields of the Gregorian calendar.
struct CalendarTime {
  var year, month, day, hour, minute, second, weekday: Int

  init(secondsSince1970: Int64) {
    var seconds = time_t(secondsSince1970)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    year = Int(fields.tm_year) + 1900
    month = Int(fields.tm_mon) + 1
    day = Int(fields.tm_mday)
    hour = Int(fields.tm_hour)
    minute = Int(fields.tm_min)
    second = Int(fields.tm_sec)
    weekday = Int(fields.tm_wday)
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
  var httpDate: String {
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return "\(days[weekday % 7]), \(two(day)) \(months[(month - 1) % 12]) \(year) "
      + "\(two(hour)):\(two(minute)):\(two(second)) GMT"
  }

  /// `2026-01-01T00:00:00-08:00`, as Box writes an event's time: Pacific time with its offset.
  static func boxText(secondsSince1970: Int64) -> String {
    let time = CalendarTime(secondsSince1970: secondsSince1970 - 8 * 3600)
    return "\(time.year)-\(time.two(time.month))-\(time.two(time.day))"
      + "T\(time.two(time.hour)):\(time.two(time.minute)):\(time.two(time.second))-08:00"
  }

  private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
