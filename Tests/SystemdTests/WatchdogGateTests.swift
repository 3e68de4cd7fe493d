import Testing

@testable import Systemd

struct WatchdogGateTests {
  /// What follows from one answer.
  private struct Verdict: Equatable {
    var pings: Bool
    var report: Watchdog.Report?
  }

  private func check(_ gate: inout WatchdogGate, _ health: Watchdog.Health) -> Verdict {
    let report = gate.check(health)
    return Verdict(pings: gate.isOpen, report: report)
  }

  @Test func pingsWhileHealthyAtHalfTheInterval() {
    var gate = WatchdogGate(interval: .seconds(120))
    #expect(check(&gate, .healthy) == Verdict(pings: true))
    #expect(check(&gate, .healthy) == Verdict(pings: true))
    #expect(gate.pause == .seconds(60))
  }

  @Test func reportsOnceWhyPingsStopAndChecksMoreOften() {
    var gate = WatchdogGate(interval: .seconds(120))
    #expect(check(&gate, .healthy) == Verdict(pings: true))
    #expect(check(&gate, .overdue("a sync")) == Verdict(pings: false, report: .withheld("a sync")))
    #expect(gate.pause == .seconds(15))
    #expect(check(&gate, .overdue("a sync")) == Verdict(pings: false))
    #expect(check(&gate, .overdue("and a poll")) == Verdict(pings: false))
  }

  @Test func aRecoveryInTimePingsAgain() {
    var gate = WatchdogGate(interval: .seconds(120))
    _ = check(&gate, .overdue("a sync"))
    #expect(check(&gate, .healthy) == Verdict(pings: true, report: .resumed))
    #expect(check(&gate, .healthy) == Verdict(pings: true))
    #expect(gate.pause == .seconds(60))
    #expect(check(&gate, .overdue("again")) == Verdict(pings: false, report: .withheld("again")))
  }

  @Test func isSilentFromTheStartWhenNeverHealthy() {
    var gate = WatchdogGate(interval: .seconds(2))
    #expect(check(&gate, .overdue("recovery")) == Verdict(pings: false, report: .withheld("recovery")))
  }
}
