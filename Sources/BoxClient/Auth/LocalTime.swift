import BoxEvents
import Glibc

extension BoxTime {
  /// This machine's clock. Only for what a server can't say: an assertion's `exp`, and a `Retry-After` date in an
  /// answer without `Date`.
  static var localNow: BoxTime { BoxTime(secondsSince1970: Int64(time(nil))) }
}
