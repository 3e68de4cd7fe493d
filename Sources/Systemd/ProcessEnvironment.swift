import Glibc

/// The process's environment, where systemd leaves what a service is to know about itself.
enum ProcessEnvironment {
  /// The value of a variable; nil when it is unset or empty.
  ///
  /// The corresponding C function is `getenv`.
  static func value(of name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}
