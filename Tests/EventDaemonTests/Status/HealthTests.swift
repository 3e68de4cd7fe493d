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
}
