import Glibc

/// Standard error without a buffer: each line is one system call, so lines of several threads or
/// processes never mix.
enum StandardError {
  /// Seconds since 1970.
  static var now: Int { time(nil) }

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
