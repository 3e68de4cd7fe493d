import Glibc

/// How many files and connections this process may have open at once.
enum OpenFileLimit {
  /// What so many streams need, with some room: five each, measured over recovery and polling, and the rest of
  /// the daemon. Having too few is found at the start, since NIO ends the process where it can't make an event loop.
  static func need(streams: Int) -> UInt64 { 48 + 5 * UInt64(streams) }

  /// Takes all that the service manager allows.
  ///
  /// systemd starts services with a soft limit of 1,024, for the sake of programs that use select(2), and
  /// a hard one of 524,288; a few hundred streams need more than the first. Whoever needs more and uses
  /// poll(2) is to raise it. See systemd.exec(5), "LimitNOFILE=".
  ///
  /// The corresponding C function is `setrlimit`.
  /// - Throws: `DaemonFailure` where that is too little for so many streams.
  static func raise(streams: Int) throws(DaemonFailure) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let need = need(streams: streams)
    guard limit.rlim_max >= need else {
      throw DaemonFailure(
        .configuration,
        "this process may have \(limit.rlim_max) files and connections open; "
          + "\(streams == 1 ? "1 stream needs" : "\(streams) streams need") \(need)",
        hint: "raise LimitNOFILE= of the unit, or ulimit -n: each stream needs about five", errno: EMFILE)
    }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
