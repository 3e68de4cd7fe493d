import Testing

@testable import Systemd

struct WatchdogGateTests {
  private typealias Verdict = WatchdogGate.Verdict

  @Test func pingsWhileHealthyAtHalfTheInterval() {
    var gate = WatchdogGate(interval: .seconds(120))
    #expect(gate.check(.healthy) == Verdict(pings: true))
    #expect(gate.check(.healthy) == Verdict(pings: true))
    #expect(gate.pause == .seconds(60))
  }

  @Test func reportsOnceWhyPingsStopAndChecksMoreOften() {
    var gate = WatchdogGate(interval: .seconds(120))
    #expect(gate.check(.healthy) == Verdict(pings: true))
    #expect(gate.check(.overdue("a sync")) == Verdict(pings: false, report: .withheld("a sync")))
    #expect(gate.pause == .seconds(15))
    #expect(gate.check(.overdue("a sync")) == Verdict(pings: false))
    #expect(gate.check(.overdue("and a poll")) == Verdict(pings: false))
  }

  @Test func aRecoveryInTimePingsAgain() {
    var gate = WatchdogGate(interval: .seconds(120))
    _ = gate.check(.overdue("a sync"))
    #expect(gate.check(.healthy) == Verdict(pings: true, report: .resumed))
    #expect(gate.check(.healthy) == Verdict(pings: true))
    #expect(gate.pause == .seconds(60))
    #expect(gate.check(.overdue("again")) == Verdict(pings: false, report: .withheld("again")))
  }

  @Test func isSilentFromTheStartWhenNeverHealthy() {
    var gate = WatchdogGate(interval: .seconds(2))
    #expect(gate.check(.overdue("recovery")) == Verdict(pings: false, report: .withheld("recovery")))
  }
}
