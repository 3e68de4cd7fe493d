import BoxEvents
import Testing

@testable import EventDaemon

@Suite struct StatusTextTests {
  private func text(_ streams: [StreamSnapshot]) -> String {
    StatusText.text(StatusReport(Snapshots.daemon(streams)), now: Snapshots.now)
  }

  /// The last line, if nothing was called.
  private let noCalls = "\n\ncalls to Box in the 0 s since the start: 0\n"

  @Test func aTableThenErrorsThenGaps() {
    var gappy = Snapshots.stream("audit-logs", .blocked, "Box answered 403. Give the app the right\nto …")
    gappy.gapsTotal = 2
    #expect(
      text([Snapshots.healthy, gappy]) == """
        box-eventd 1.2.3, degraded, started 2026-03-01T04:00:09Z (3 h 5 min ago)

        STREAM      STATE       EVENTS  LAST EVENT  POSITION AGE  RETENTION LEFT  POSITION
        default     polling  1 204 331  13 s ago    12 s          -               1152922976252290886
        audit-logs  blocked          0  -           -             -               -

        audit-logs: Box answered 403. Give the app the right\\u{A}to …

        audit-logs: 2 gaps recorded in gaps.ndjson

        calls to Box in the 0 s since the start: 0

        """)
  }

  /// Blocked at the start, its spool may have any number of events.
  @Test func noCountsBeforeTheRecovery() throws {
    var blocked = Snapshots.stream("b", .blocked, "x")
    blocked.hasRecovered = false
    #expect(text([blocked]).contains("\nb       blocked       -  -  "))
    let report = StatusReport(Snapshots.daemon([blocked]))
    #expect(report.json.contains(#""events_total":null,"duplicates_total":0,"gaps_total":null,"#))
    #expect(try StatusReport(parsing: Array(report.json.utf8)) == report)
    let daemon = Snapshots.daemon([blocked])
    #expect(StatusLine.text(daemon, now: Snapshots.now) == "The stream is blocked: b: x")
    #expect(StatusPage.html(daemon, now: Snapshots.now).contains("<td class=\"n\">–</td>"))
    let metrics = PrometheusText(Snapshots.daemon([blocked, Snapshots.healthy])).text
    for name in ["events_total", "gaps_total"] {
      #expect(!metrics.contains("box_eventd_\(name){stream=\"b\"}"))
      #expect(metrics.contains("box_eventd_\(name){stream=\"default\"}"))
    }
  }

  @Test func whenTheNextTryIs() {
    var waiting = Snapshots.stream("w", .waiting, "Box answered 403. Give the app the right.")
    waiting.nextAttempt = .seconds(14 * 60 + 10)
    #expect(
      text([waiting]).hasSuffix(
        "\n\nw: Box answered 403. Give the app the right. (next try in 14 min)\(noCalls)"))
  }

  @Test func howLongAnAnswerIsAwaited() {
    var reading = Snapshots.stream("w", .reading)
    reading.answerAwaited = .seconds(75)
    #expect(text([reading]).hasSuffix("\n\nw: waiting for Box's answer for 1 min\(noCalls)"))
  }

  /// Beside a stream that was complete a moment ago it would only puzzle.
  @Test(arguments: [(3_600, false), (3_601, true), (30 * 86_400, true)])
  func retentionLeftOfAPositionThatIsOld(age: Int64, isShown: Bool) {
    var stream = Snapshots.healthy
    stream.positionAge = .seconds(age)
    stream.retentionLeft = .seconds(21 * 86_400 - age)
    let left = age > 21 * 86_400 ? "0 s" : "20 d"
    #expect(text([stream]).contains("  \(left) ") == isShown)
    let page = StatusPage.html(Snapshots.daemon([stream]), now: Snapshots.now)
    #expect(page.contains("<td>\(left)</td>") == isShown)
    #expect(StatusReport(Snapshots.daemon([stream])).json.contains(#""retention_left_seconds":"#))
  }

  @Test func callsToBox() {
    var daemon = Snapshots.daemon([Snapshots.healthy])
    daemon.calls = Snapshots.calls
    #expect(
      StatusText.text(StatusReport(daemon), now: Snapshots.now).hasSuffix(
        "\n\ncalls to Box in the last hour: 53 (events 45, options 6, token 2), about 38 266 in 30 days, "
          + "at most 600 a minute, 3 waiting\n"))
    daemon.calls = CallUsage(counts: [.events: 2, .user: 1], span: .seconds(725))
    #expect(
      StatusText.text(StatusReport(daemon), now: Snapshots.now).hasSuffix(
        "\n\ncalls to Box in the 12 min since the start: 3 (events 2, user 1)\n"))
  }

  @Test func noStreams() {
    #expect(
      text([]) == """
        box-eventd 1.2.3, running, started 2026-03-01T04:00:09Z (3 h 5 min ago)

        no streams

        calls to Box in the 0 s since the start: 0

        """)
  }
}
