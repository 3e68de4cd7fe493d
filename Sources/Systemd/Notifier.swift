import CSystemd

/// Tells the service manager how the daemon is doing. See sd_notify(3).
///
/// A value that can be copied anywhere. Started by hand, without `NOTIFY_SOCKET`, it does nothing.
/// It never fails: a daemon that can't be heard still has its work to do.
///
///     let notifier = Notifier.systemd()
///     notifier.send(.ready, .status("Streaming 3 streams"))
package struct Notifier: Sendable {
  /// Whether anyone listens.
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

  /// A notifier nobody listens to.
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
  package func send(_ fields: Field...) -> Bool {
    send(fields)
  }

  /// Sends one message of one or more fields. They arrive together or not at all.
  /// - Returns: whether the message was sent.
  @discardableResult
  package func send(_ fields: [Field]) -> Bool {
    !fields.isEmpty && deliver(fields)
  }
}
