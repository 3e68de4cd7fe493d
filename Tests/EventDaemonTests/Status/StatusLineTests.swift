import Testing

@testable import EventDaemon

@Suite struct StatusLineTests {
  private func text(_ streams: [StreamSnapshot], _ phase: DaemonSnapshot.Phase = .running) -> String {
    StatusLine.text(Snapshots.daemon(streams, phase), now: Snapshots.now)
  }

  private var healthy: StreamSnapshot { Snapshots.healthy }

  @Test func withoutProblems() {
    let others = [Snapshots.stream("b", .reading), Snapshots.stream("c", .waiting)]
    #expect(
      text([healthy] + others)
        == "Streaming 3 streams · last event 12 s ago · 1 204 331 spooled · position age 12 s")
    #expect(text([Snapshots.stream("a", .polling)]) == "Streaming 1 stream · 0 spooled")
  }

  @Test func startAndStop() {
    #expect(text([healthy], .starting) == "Starting 1 stream")
    #expect(text([healthy, Snapshots.stream("b", .stopped)], .stopping) == "Stopping · 1 204 331 spooled")
  }

  @Test func namesTheStreamThatIsRecovered() {
    let streams = [healthy, Snapshots.stream("b", .starting), Snapshots.stream("c", .starting)]
    #expect(text(streams, .starting) == "Starting: recovering b (2 of 3)")
    #expect(text(streams.dropFirst() + [], .starting) == "Starting: recovering b (1 of 2)")
  }

  @Test func endsWithTheDifferenceOfTheConfiguration() {
    var daemon = Snapshots.daemon([Snapshots.stream("a", .polling)])
    daemon.difference = "differs in [box] api_url: restart to use it"
    #expect(
      StatusLine.text(daemon, now: Snapshots.now)
        == "Streaming 1 stream · 0 spooled; configuration on disk differs in [box] api_url: restart to use it"
    )
    #expect(PrometheusText(daemon).text.contains("\nbox_eventd_configuration_differs 1\n"))
    let report = StatusReport(daemon)
    #expect(
      report.json.contains(#""configuration_difference":"differs in [box] api_url: restart to use it","#))
    #expect(
      StatusText.text(report, now: Snapshots.now).contains(
        "\n\nconfiguration on disk differs in [box] api_url: restart to use it\n\ncalls to Box "))
  }

  @Test func problemComesFirstWithItsRemedy() {
    let blocked = Snapshots.stream(
      "a", .blocked, "Box refuses the position. Run: box-eventd position set a now.")
    #expect(
      text([blocked, healthy, Snapshots.stream("c", .blocked)])
        == "2 of 3 streams blocked: a: Box refuses the position. Run: box-eventd position set a now. "
        + "(and 1 more) · 1 204 331 spooled")
    #expect(
      text([Snapshots.stream("c", .blocked)])
        == "The stream is blocked: c: operator action required, see the journal · 0 spooled")
  }

  @Test func theWorstProblemWins() {
    var late = healthy
    late.isTimely = false
    let paused = Snapshots.stream("p", .paused, "the disk has 200 MiB left, keep_free is 256MiB")
    let waiting = Snapshots.stream("w", .waiting, "Box answered 503")
    let stalled = Snapshots.stream("s", .stalled)
    #expect(
      text([waiting, paused, stalled, late])
        == "1 of 4 streams overdue: default: past its deadline; the watchdog will restart the service "
        + "· 1 stalled: s: Box serves a full page of known events again and again "
        + "· 1 paused: p: the disk has 200 MiB left, keep_free is 256MiB "
        + "· 1 failing: w: Box answered 503 (retrying) · 1 204 331 spooled")
    #expect(
      text([waiting, paused, stalled]).hasPrefix(
        "1 of 3 streams stalled: s: Box serves a full page of known events"))
    #expect(text([waiting, paused]).hasPrefix("1 of 2 streams paused: p: the disk has 200 MiB left"))
    #expect(
      text([waiting]) == "The stream is failing: w: Box answered 503 (retrying) · 0 spooled")
  }

  @Test func itTellsWhenTheNextTryIs() {
    var waiting = Snapshots.stream("w", .waiting, "Box answered 403")
    waiting.nextAttempt = .seconds(14 * 60 + 10)
    #expect(
      text([waiting]) == "The stream is failing: w: Box answered 403 (next try in 14 min) · 0 spooled")
  }

  /// Events are read all the same.
  @Test func withoutRealtimeAStreamIsDegradedOnly() {
    var degraded = Snapshots.stream("d", .waiting, "no realtime notifications")
    degraded.isErrorOfRealtime = true
    #expect(text([degraded]) == "The stream is degraded: d: no realtime notifications (retrying) · 0 spooled")
    #expect(
      text([degraded, Snapshots.stream("w", .waiting, "Box answered 503")])
        == "1 of 2 streams failing: w: Box answered 503 (retrying) "
        + "· 1 degraded: d: no realtime notifications (retrying) · 0 spooled")
    degraded.isTimely = false
    #expect(degraded.problem == .overdue)
  }

  @Test func itStaysOneLine() {
    #expect(
      !text([Snapshots.stream("a", .blocked, "one\ntwo\u{1b}")]).contains { $0.isNewline || $0 == "\u{1b}" })
  }

  @Test func sumsDoNotOverflow() {
    var huge = healthy
    huge.eventsTotal = .max
    #expect(text([huge, healthy]).contains(" 18 446 744 073 709 551 615 spooled"))
  }
}

@Suite struct MetricTextTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1_000, "1 000"), (1_204_331, "1 204 331"),
    (UInt64.max, "18 446 744 073 709 551 615"),
  ])
  func groupsDigitsInThrees(number: UInt64, text: String) {
    #expect(MetricText.count(number) == text)
  }

  @Test(
    arguments: [
      (-5, "0 s"), (0.9, "0 s"), (12.5, "12 s"), (59.9, "59 s"), (60, "1 min"), (3_599, "59 min"),
      (3_600, "1 h"), (7_500, "2 h 5 min"), (86_400, "1 d"), (20 * 86_400 + 7, "20 d"), (.nan, "0 s"),
      (.infinity, "0 s"), (1e300, "11574074 d"),
    ] as [(Double, String)])
  func spans(seconds: Double, text: String) {
    #expect(MetricText.span(seconds) == text)
  }
}
