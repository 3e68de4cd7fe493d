import BoxEvents

extension Notifier {
  /// One thing to tell the service manager. See sd_notify(3) for each.
  package enum Field: Hashable, Sendable {
    /// `READY=1`: started, or done with a reload.
    case ready
    /// `RELOADING=1` with `MONOTONIC_USEC=`. ``ready`` follows when it is done.
    case reloading
    /// `STOPPING=1`.
    case stopping
    /// `STATUS=`: one line for `systemctl status`.
    case status(String)
    /// `WATCHDOG=1`: alive and well.
    case watchdog
    /// `EXTEND_TIMEOUT_USEC=`: start, reload or stop takes at least this much longer from now.
    case extendTimeout(Duration)
    /// `ERRNO=`: why the daemon is about to fail.
    case errno(Int32)
    /// `MAINPID=`.
    case mainPID(Int32)
  }
}

extension Notifier.Field {
  /// Longest status in bytes. systemd drops a whole message above 4,096 bytes, `READY=1` and all.
  static let longestStatus = 2048

  /// The text of one datagram.
  /// - Parameter now: what `MONOTONIC_USEC=` says; systemd takes a reload older than its own request
  ///   for the answer to another one.
  static func message(_ fields: [Notifier.Field], at now: MonotonicClock.Instant) -> String {
    fields.map { $0.assignment(at: now) }.joined(separator: "\n")
  }

  private func assignment(at now: MonotonicClock.Instant) -> String {
    switch self {
    case .ready: "READY=1"
    case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(now.microseconds)"
    case .stopping: "STOPPING=1"
    case .status(let text): "STATUS=\(PlainText.escaped(text, limit: Self.longestStatus))"
    case .watchdog: "WATCHDOG=1"
    case .extendTimeout(let time): "EXTEND_TIMEOUT_USEC=\(max(0, time.wholeMicroseconds))"
    case .errno(let number): "ERRNO=\(number)"
    case .mainPID(let pid): "MAINPID=\(pid)"
    }
  }
}
