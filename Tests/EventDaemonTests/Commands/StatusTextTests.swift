import Testing

@testable import EventDaemon

@Suite struct StatusTextTests {
  private func text(_ streams: [StreamSnapshot]) -> String {
    StatusText.text(StatusReport(Snapshots.daemon(streams)), now: Snapshots.now)
  }

  @Test func aTableThenErrorsThenGaps() {
    var gappy = Snapshots.stream("audit-logs", .blocked, "Box answered 403. Give the app the right\nto …")
    gappy.gapsTotal = 2
    #expect(
      text([Snapshots.healthy, gappy]) == """
        box-eventd 1.2.3, degraded since 2026-03-01T04:00:09Z (3 h 5 min)

        STREAM      STATE       EVENTS  LAST EVENT  POSITION AGE  RETENTION LEFT  POSITION
        default     polling  1 204 331  13 s ago    12 s          20 d            1152922976252290886
        audit-logs  blocked          0  -           -             -               -

        audit-logs: Box answered 403. Give the app the right\\u{A}to …

        audit-logs: 2 gaps recorded in gaps.ndjson

        """)
  }

  @Test func noStreams() {
    #expect(
      text([]) == """
        box-eventd 1.2.3, running since 2026-03-01T04:00:09Z (3 h 5 min)

        no streams

        """)
  }
}
