import Glibc

/// Standard error without a buffer: each line is one system call, so lines of several threads or
/// processes never mix.
enum StandardError {
  /// Seconds since 1970.
  static var now: Int { time(nil) }

  /// `2026-11-23T20:11:25Z`.
  ///
  /// The corresponding C function is `gmtime_r`.
  static func timestamp(_ seconds: Int) -> String {
    var seconds = seconds
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let date = [parts.tm_mon + 1, parts.tm_mday].map(twoDigits).joined(separator: "-")
    let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(twoDigits).joined(separator: ":")
    return "\(Int(parts.tm_year) + 1900)-\(date)T\(time)Z"
  }

  private static func twoDigits(_ number: CInt) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }

  /// Writes all of it, or gives up: there is no one left to tell.
  ///
  /// The corresponding C function is `write`.
  static func write(_ line: String, to descriptor: CInt = STDERR_FILENO) {
    var rest = Array(line.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if written == 0 || errno != EINTR {
        return
      }
    }
  }
}
