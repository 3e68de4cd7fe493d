import Testing

@testable import EventDaemon

@Suite struct StatusReportTests {
  @Test func writesTheDocumentedKeysInOrder() {
    let report = StatusReport(
      Snapshots.daemon([Snapshots.healthy, Snapshots.stream("b", .blocked, "say \"\\\n\u{1}é\"")]))
    #expect(
      report.json == #"""
        {"version":"1.2.3","state":"degraded","since":"2026-03-01T04:00:09Z",\#
        "configuration_difference":null,"calls":{"seconds":0,"is_full_hour":false,"events":0,"options":0,\#
        "token":0,"user":0,"month_projection":0,"limit_per_minute":null,"waiting":0},"streams":[{"name":"default",\#
        "state":"polling","stream_position":"1152922976252290886","events_total":1204331,\#
        "duplicates_total":17,"gaps_total":0,"bytes_total":1999999999,\#
        "last_event_at":"2026-03-01T07:04:56Z","last_commit_at":"2026-03-01T07:04:57Z",\#
        "position_age_seconds":12.5,"retention_left_seconds":1731600,"error":null},\#
        {"name":"b","state":"blocked","stream_position":null,"events_total":0,"duplicates_total":0,\#
        "gaps_total":0,"bytes_total":0,"last_event_at":null,"last_commit_at":null,\#
        "position_age_seconds":null,"retention_left_seconds":null,"error":"say \"\\\u000a\u0001é\""}]}

        """#)
  }

  @Test func theNextAttemptOnlyWhereThereIsOne() {
    #expect(!StatusReport(Snapshots.daemon([Snapshots.healthy])).json.contains("next_attempt"))
    var stream = Snapshots.stream("w", .waiting, "x")
    stream.nextAttempt = .milliseconds(90_500)
    #expect(
      StatusReport(Snapshots.daemon([stream])).json.contains(#""error":"x","next_attempt_seconds":90.5}"#))
  }

  @Test func anAwaitedAnswerOnlyWhereItTakesLong() {
    #expect(!StatusReport(Snapshots.daemon([Snapshots.healthy])).json.contains("answer_awaited"))
    var stream = Snapshots.stream("w", .reading)
    stream.answerAwaited = .seconds(75)
    let report = StatusReport(Snapshots.daemon([stream]))
    #expect(report.json.contains(#""error":null,"answer_awaited_seconds":75}"#))
    #expect(report.state == "running")
  }

  @Test func parsesItsOwnOutput() throws {
    var stream = Snapshots.healthy
    stream.nextAttempt = .seconds(7)
    stream.error = "\u{1}\n\"\\\u{2028}😀"
    stream.eventsTotal = .max
    var daemon = Snapshots.daemon([stream, Snapshots.stream("b", .starting)])
    daemon.calls = Snapshots.calls
    let report = StatusReport(daemon)
    #expect(
      report.json.contains(
        #""calls":{"seconds":3590,"is_full_hour":true,"events":45,"options":6,"token":2,"user":0,"#
          + #""month_projection":38266,"limit_per_minute":600,"waiting":3},"streams""#))
    #expect(try StatusReport(parsing: Array(report.json.utf8)) == report)
  }

  /// As one of an older version that still runs during an upgrade.
  @Test func acceptsAReportWithoutCalls() throws {
    let report = try StatusReport(parsing: Array(#"{"version":"0","state":"running","streams":[]}"#.utf8))
    #expect(report.calls == nil)
    #expect(!report.json.contains("calls"))
    #expect(!StatusText.text(report, now: Snapshots.now).contains("calls"))
  }

  @Test(arguments: ["", "{}", "[]", "null", "{\"version\":1}", "<html>"])
  func refusesInvalidReports(text: String) {
    #expect(throws: StatusFailure.self) { try StatusReport(parsing: Array(text.utf8)) }
  }

  @Test func theDaemonsStateFollowsItsStreams() {
    let healthy = Snapshots.healthy
    #expect(Snapshots.daemon([healthy]).state == "running")
    #expect(Snapshots.daemon([]).state == "running")
    #expect(Snapshots.daemon([healthy], .starting).state == "starting")
    #expect(Snapshots.daemon([Snapshots.stream("b", .blocked)], .stopping).state == "stopping")
    for state in [StreamState.blocked, .stalled, .paused] {
      #expect(Snapshots.daemon([healthy, Snapshots.stream("b", state)]).state == "degraded")
    }
    #expect(Snapshots.daemon([Snapshots.stream("b", .waiting, "Box answered 503")]).state == "degraded")
    var late = healthy
    late.isTimely = false
    #expect(Snapshots.daemon([late]).state == "degraded")
  }
}
