import Testing

@testable import EventDaemon

@Suite struct HealthTests {
  @Test(arguments: StreamState.allCases)
  func onlyStalledAndBlockedAreUnhealthy(state: StreamState) {
    let health = Health(Snapshots.daemon([Snapshots.stream("a", state)]))
    #expect(health.isHealthy == (state != .stalled && state != .blocked))
  }

  @Test(arguments: StreamState.allCases)
  func overdueIsUnhealthy(state: StreamState) {
    var late = Snapshots.stream("a", state)
    late.isTimely = false
    #expect(!Health(Snapshots.daemon([Snapshots.healthy, late])).isHealthy)
  }

  @Test func theReasonIsOneLine() {
    #expect(Health(Snapshots.daemon([Snapshots.healthy])).reason == "ok: 1 stream, running")
    let unhealthy = [
      Snapshots.stream("a", .blocked, "no\nway"), Snapshots.stream("b", .stalled), Snapshots.healthy,
    ]
    #expect(Health(Snapshots.daemon(unhealthy)).reason == "a is blocked: no\\u{A}way (and 1 more)")
    #expect(Health(Snapshots.daemon([Snapshots.stream("b", .stalled)])).reason == "b is stalled")
  }

  /// What a restart wouldn't end is no reason for 503, but is told all the same, the worst first.
  @Test func theReasonIsGivenWhereItStaysHealthy() {
    var quiet = Snapshots.stream("c", .waiting, "no realtime notifications")
    quiet.isErrorOfRealtime = true
    let failing = Snapshots.stream("b", .waiting, "cannot connect to api.box.com")
    let reasons = [
      ([Snapshots.healthy, failing], "ok: b is failing: cannot connect to api.box.com"),
      ([quiet], "ok: c is degraded: no realtime notifications"),
      (
        [quiet, failing, Snapshots.stream("a", .paused, "disk full")],
        "ok: a is paused: disk full (and 2 more)"
      ),
    ]
    for (streams, reason) in reasons {
      let health = Health(Snapshots.daemon(streams))
      #expect(health.isHealthy && health.reason == reason)
    }
  }
}
