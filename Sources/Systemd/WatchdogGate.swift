/// The watchdog's decision, apart from its loop: whether to ping, what to report, how long to wait.
struct WatchdogGate: Hashable, Sendable {
  /// What follows from one answer.
  struct Verdict: Hashable, Sendable {
    var pings: Bool
    var report: Watchdog.Report?
  }

  let interval: Duration
  private var isOpen = true

  init(interval: Duration) {
    self.interval = interval
  }

  mutating func check(_ health: Watchdog.Health) -> Verdict {
    switch (health, isOpen) {
    case (.healthy, true):
      return Verdict(pings: true)
    case (.healthy, false):
      isOpen = true
      return Verdict(pings: true, report: .resumed)
    case (.overdue(let reason), true):
      isOpen = false
      return Verdict(pings: false, report: .withheld(reason))
    case (.overdue, false):
      return Verdict(pings: false)
    }
  }

  /// Half the interval, as sd_watchdog_enabled(3) advises. While pings are withheld the kill is at
  /// most half an interval away: looking four times as often notices a recovery before it.
  var pause: Duration {
    isOpen ? interval / 2 : interval / 8
  }
}
