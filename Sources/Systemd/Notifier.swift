import BoxEvents
import CSystemd

/// Reports the daemon's state to the service manager. See sd_notify(3).
///
/// A value that can be copied anywhere. Started by hand, without `NOTIFY_SOCKET`, it does nothing.
/// It never fails: a daemon whose messages don't arrive still has its work to do.
///
///     let notifier = Notifier.systemd()
///     notifier.send(.ready, .status("Streaming 3 streams"))
package struct Notifier: Sendable {
  /// Whether a service manager listens.
  package let isConnected: Bool
  private let deliver: @Sendable ([Field]) -> Bool

  /// A notifier that hands each message to a closure, for tests.
  /// - Parameter deliver: the fields of one message; returns whether it was sent.
  package init(deliver: @escaping @Sendable ([Field]) -> Bool) {
    self.init(isConnected: true, deliver: deliver)
  }

  private init(isConnected: Bool, deliver: @escaping @Sendable ([Field]) -> Bool) {
    self.isConnected = isConnected
    self.deliver = deliver
  }

  /// A notifier without a service manager.
  package static let silent = Notifier(isConnected: false) { _ in false }

  /// The service manager that started this process; ``silent`` when none did.
  ///
  /// The corresponding C function is `sd_notify`, which finds the socket in `NOTIFY_SOCKET`.
  package static func systemd() -> Notifier {
    guard ProcessEnvironment.value(of: "NOTIFY_SOCKET") != nil else { return .silent }
    return Notifier(isConnected: true) { fields in
      let message = Field.message(fields, at: MonotonicClock.now)
      // Positive: sent. Zero: no socket. Negative: an errno, for example when systemd is restarting.
      return sd_notify(0, message) > 0
    }
  }

  /// Sends one message of one or more fields. They arrive together or not at all.
  /// - Returns: whether the message was sent.
  @discardableResult
  package func send(_ fields: Field...) -> Bool { send(fields) }

  /// Sends one message of one or more fields. They arrive together or not at all.
  /// - Returns: whether the message was sent.
  @discardableResult
  package func send(_ fields: [Field]) -> Bool { !fields.isEmpty && deliver(fields) }
}

extension Notifier {
  /// One field of a message to the service manager. See sd_notify(3) for each.
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
  }
}

extension Notifier.Field {
  /// Longest status in bytes. systemd drops a message above 4,096 bytes entirely, its `READY=1` included.
  static let longestStatus = 2048

  /// The text of one datagram.
  /// - Parameter now: the value of `MONOTONIC_USEC=`; systemd takes a reload older than its own request
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
    case .extendTimeout(let time): "EXTEND_TIMEOUT_USEC=\(max(0, time.clampedMicroseconds))"
    case .errno(let number): "ERRNO=\(number)"
    }
  }
}
