import CSystemd

/// Pings systemd's watchdog for as long as the daemon is healthy, and no longer.
///
/// Silence is the point: systemd ends and restarts a service that has not pinged for `WatchdogSec=`.
/// A loop that pinged whatever happens would only prove that the loop runs. This one runs on the
/// same executor as everything else, so a blocked pool keeps it quiet too.
package enum Watchdog {
  /// The daemon's answer when it is asked.
  package enum Health: Hashable, Sendable {
    case healthy
    /// Something has overrun its deadline: what, one line.
    case overdue(String)
  }

  /// A change that is worth a line in the journal.
  package enum Report: Hashable, Sendable {
    /// Pings stop, for this reason. Unless the daemon recovers, systemd kills it within the interval.
    case withheld(String)
    /// Recovered in time; pings go on.
    case resumed
  }

  /// The interval systemd expects pings in; nil when it expects none, or expects them of another
  /// process (`WATCHDOG_PID`).
  ///
  /// The corresponding C function is `sd_watchdog_enabled`.
  package static func requestedInterval() throws(SystemdError) -> Duration? {
    var microseconds: UInt64 = 0
    let result = sd_watchdog_enabled(0, &microseconds)
    guard result >= 0 else {
      throw SystemdError(
        .watchdogUnreadable, "cannot read WATCHDOG_USEC and WATCHDOG_PID",
        hint: "Start the daemon through its unit, or unset both.", errno: -result)
    }
    return result > 0 ? .microseconds(Int64(clamping: microseconds)) : nil
  }

  /// Asks, pings or stays silent, and waits; ends when the task is cancelled.
  /// - Parameters:
  ///   - interval: as ``requestedInterval()`` returns it.
  ///   - health: asked before each ping. Must answer soon: while it hangs, nothing is sent.
  ///   - report: called once when pings stop, and once if they go on again.
  package static func run(
    interval: Duration, notifier: Notifier, clock: some Clock<Duration> = SuspendingClock(),
    health: () async -> Health, report: (Report) -> Void
  ) async {
    var gate = WatchdogGate(interval: interval)
    while !Task.isCancelled {
      let change = gate.check(await health())
      if gate.isOpen { notifier.send(.watchdog) }
      if let change { report(change) }
      // A cancelled sleep ends the loop.
      try? await clock.sleep(for: gate.pause)
    }
  }
}

/// The watchdog's decision, apart from its loop: whether to ping, what to report, how long to wait.
struct WatchdogGate: Hashable, Sendable {
  let interval: Duration
  /// Whether to ping.
  private(set) var isOpen = true

  /// Takes an answer; returns what is to be reported.
  mutating func check(_ health: Watchdog.Health) -> Watchdog.Report? {
    switch (health, isOpen) {
    case (.healthy, true), (.overdue, false): return nil
    case (.healthy, false):
      isOpen = true
      return .resumed
    case (.overdue(let reason), true):
      isOpen = false
      return .withheld(reason)
    }
  }

  /// Half the interval, as sd_watchdog_enabled(3) advises. While pings are withheld the kill is at
  /// most half an interval away: looking four times as often notices a recovery before it.
  var pause: Duration { isOpen ? interval / 2 : interval / 8 }
}
