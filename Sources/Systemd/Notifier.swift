import BoxEvents
import CSystemd
import Glibc

/// Reports the daemon's state to the service manager. See sd_notify(3).
///
/// A value that can be copied anywhere. Started by hand, without `NOTIFY_SOCKET`, it does nothing.
/// It never fails and never waits: a daemon whose messages don't arrive still has its work to do.
///
///     let notifier = Notifier.systemd()
///     notifier.send(.ready, .status("Streaming 3 streams"))
package struct Notifier: Sendable {
  /// Takes the fields of one message; returns at once.
  let deliver: @Sendable ([Field]) -> Void
  /// Returns when all messages so far are delivered: perhaps never.
  package var delivered: @Sendable () async -> Void = {}

  /// A notifier without a service manager.
  static let silent = Notifier { _ in }

  /// The service manager that started this process; ``silent`` when none did.
  ///
  /// The corresponding C function is `sd_notify`, which finds the socket in `NOTIFY_SOCKET`.
  package static func systemd() -> Notifier {
    guard ProcessEnvironment.value(of: "NOTIFY_SOCKET") != nil else { return .silent }
    // A failure is not reported: a manager that isn't there, for example while systemd restarts, may come back.
    let queue = NotificationQueue { sd_notify(0, $0) }
    return Notifier(
      deliver: { fields in
        let now = MonotonicClock.now
        queue.append(fields.map { $0.assignment(at: now) })
      }, delivered: queue.delivered)
  }

  /// Sends one message of one or more fields. They arrive together, or each is replaced by a newer one of its kind.
  package func send(_ fields: Field...) { if !fields.isEmpty { deliver(fields) } }
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

  /// `NAME=value`.
  /// - Parameter now: for `MONOTONIC_USEC=`; systemd takes a reload older than its own request for another's answer.
  func assignment(at now: Duration) -> String {
    switch self {
    case .ready: "READY=1"
    case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(now.clampedMicroseconds)"
    case .stopping: "STOPPING=1"
    case .status(let text): "STATUS=\(PlainText.escaped(text, limit: Self.longestStatus))"
    case .watchdog: "WATCHDOG=1"
    case .extendTimeout(let time): "EXTEND_TIMEOUT_USEC=\(max(0, time.clampedMicroseconds))"
    case .errno(let number): "ERRNO=\(number)"
    }
  }
}

/// Time since the machine started, without the time it was suspended: the clock systemd itself keeps
/// its watchdog by, and `SuspendingClock` sleeps by.
///
/// Setting the wall clock doesn't move it, and a laptop's night asleep doesn't count as a missed deadline.
package enum MonotonicClock {
  /// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
  package static var now: Duration {
    var time = timespec()
    // Fails only for an unknown clock or a bad pointer, neither of which is possible here.
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

extension Duration {
  /// Microseconds, rounded towards zero, clamped to `Int64`.
  var clampedMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let (micros, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, sumOverflow) = micros.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return sumOverflow ? (seconds < 0 ? .min : .max) : sum
  }
}
