import CSystemd

/// Pings systemd's watchdog for as long as the daemon is healthy, and no longer.
///
/// Silence is the point: systemd ends and restarts a service that has not pinged for `WatchdogSec=`.
/// A loop that pinged whatever happens would only prove that the loop runs. This one runs on the
/// same executor as everything else, so a blocked pool keeps it quiet too.
package struct Watchdog: Sendable {
  /// What the daemon says of itself when it is asked.
  package enum Health: Hashable, Sendable {
    case healthy
    /// Something has overrun its deadline: what, one line.
    case overdue(String)
  }

  /// What is worth a line in the journal.
  package enum Report: Hashable, Sendable {
    /// Pings stop, for this reason. Unless the daemon recovers, systemd kills it within the interval.
    case withheld(String)
    /// Recovered in time; pings go on.
    case resumed
  }

  /// How long systemd waits for a ping.
  package let interval: Duration
  private let notifier: Notifier
  private let health: @Sendable () async -> Health
  private let report: @Sendable (Report) -> Void

  /// - Parameters:
  ///   - interval: as ``requestedInterval()`` says.
  ///   - health: asked before each ping. Must answer soon: while it hangs, nothing is sent.
  ///   - report: called once when pings stop, and once if they go on again.
  package init(
    interval: Duration,
    notifier: Notifier,
    health: @escaping @Sendable () async -> Health,
    report: @escaping @Sendable (Report) -> Void
  ) {
    self.interval = interval
    self.notifier = notifier
    self.health = health
    self.report = report
  }

  /// The interval systemd expects pings in; nil when it expects none, or expects them of another
  /// process (`WATCHDOG_PID`).
  ///
  /// The corresponding C function is `sd_watchdog_enabled`.
  package static func requestedInterval() throws(SystemdError) -> Duration? {
    do {
      let microseconds = try enabledMicroseconds().get()
      return microseconds.map { .microseconds(Int64(clamping: $0)) }
    } catch {
      throw SystemdError(
        .watchdogUnreadable, "cannot read WATCHDOG_USEC and WATCHDOG_PID",
        hint: "start the daemon through its unit, or unset both", errno: error.rawValue)
    }
  }

  private static func enabledMicroseconds() -> Result<UInt64?, Errno> {
    var microseconds: UInt64 = 0
    return valueOrErrno(sd_watchdog_enabled(0, &microseconds)).map { $0 > 0 ? microseconds : nil }
  }

  /// Asks, pings or stays silent, and waits; ends when the task is cancelled.
  package func run(clock: some Clock<Duration> = MonotonicClock()) async {
    var gate = WatchdogGate(interval: interval)
    while !Task.isCancelled {
      let verdict = gate.check(await health())
      if verdict.pings { notifier.send(.watchdog) }
      if let change = verdict.report { report(change) }
      do {
        try await clock.sleep(for: gate.pause)
      } catch {
        return
      }
    }
  }
}
