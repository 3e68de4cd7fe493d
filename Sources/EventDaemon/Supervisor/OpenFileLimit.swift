import Glibc

/// How many files and connections this process may have open at once.
enum OpenFileLimit {
  /// Takes all that the service manager allows.
  ///
  /// systemd starts services with a soft limit of 1,024, for the sake of programs that use select(2), and
  /// a hard one of 524,288; a few hundred streams need more than the first. Whoever needs more and uses
  /// poll(2) is to raise it. See systemd.exec(5), "LimitNOFILE=".
  ///
  /// The corresponding C function is `setrlimit`.
  static func raise() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
