import BoxEvents
import Glibc

/// A call of libsystemd failed: the one error type of this module.
package struct SystemdError: ExplainedError, Hashable, Sendable {
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// The kernel's boot id can't be read, for example where `/proc/sys` is hidden.
    case bootIDUnavailable
    /// `WATCHDOG_USEC` or `WATCHDOG_PID` can't be read as numbers.
    case watchdogUnreadable
  }

  package var code: Code
  /// What happened, one line.
  package var message: String
  /// What to do about it.
  package var hint: String?
  /// The system's error number.
  package var errno: Int32

  init(_ code: Code, _ message: String, hint: String, errno: Int32) {
    self.code = code
    self.message = "\(message): \(String(cString: strerror(errno)))"
    self.hint = hint
    self.errno = errno
  }
}

extension SystemdError: CustomStringConvertible {
  package var description: String { explanation }
}
