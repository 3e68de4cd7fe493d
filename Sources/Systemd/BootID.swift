import BoxEvents
import CSystemd
import Glibc

/// The id of the running boot: another one after every start of the machine.
package enum BootID {
  /// The variable the unit sets from `%b`. In a container systemd knows the container's boot id, while the
  /// sandbox's fresh `/proc` shows that of the host, which outlives the container's disk.
  static let variable = "BOOT_ID"

  /// As the journal's `_BOOT_ID=`: from `$BOOT_ID` where the unit sets it, else from the kernel.
  package static func current() throws(SystemdError) -> String {
    if let text = ProcessEnvironment.value(of: variable), isValid(text) { return text }
    return try ofKernel()
  }

  /// Whether this is an id: 32 lower-case hexadecimal digits, not all zero.
  static func isValid(_ text: String) -> Bool {
    text.utf8.count == 32 && text != String(repeating: "0", count: 32)
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// The corresponding C function is `sd_id128_get_boot`.
  static func ofKernel() throws(SystemdError) -> String {
    var id = sd_id128_t()
    let result = sd_id128_get_boot(&id)
    guard result >= 0 else {
      throw SystemdError(
        .bootIDUnavailable, "cannot read the kernel's boot id",
        hint: "Set \(variable)=%b with Environment= in the unit.", errno: -result)
    }
    return withUnsafeBytes(of: id.bytes) { Hexadecimal.text(of: $0) }
  }
}

/// The environment of this process, by which systemd passes a service its sockets and limits.
enum ProcessEnvironment {
  /// The value of a variable; nil when it is unset or empty.
  ///
  /// The corresponding C function is `getenv`.
  static func value(of name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}

/// A call of libsystemd failed: the one error type of this module.
package struct SystemdError: ExplainedError, Hashable, Sendable {
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// The kernel's boot id can't be read, for example where `/proc/sys` is hidden.
    case bootIDUnavailable
    /// `WATCHDOG_USEC` or `WATCHDOG_PID` can't be read as numbers.
    case watchdogUnreadable
  }

  package let code: Code
  package let message: String
  package let hint: String?
  /// The system's error number.
  package let errno: Int32

  init(_ code: Code, _ message: String, hint: String, errno: Int32) {
    self.code = code
    self.message = "\(message): \(String(cString: strerror(errno)))"
    self.hint = hint
    self.errno = errno
  }
}
