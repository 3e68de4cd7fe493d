import Testing

@testable import EventDaemon

@Suite struct StatusLineTests {
  private func text(_ streams: [StreamSnapshot], _ phase: DaemonSnapshot.Phase = .running) -> String {
    StatusLine.text(Snapshots.daemon(streams, phase), now: Snapshots.now)
  }

  private var healthy: StreamSnapshot { Snapshots.healthy }

  @Test func allIsWell() {
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

  @Test func problemComesFirstWithItsRemedy() {
    let blocked = Snapshots.stream(
      "a", .blocked, "Box refuses the position; use: box-eventd position set a now")
    #expect(
      text([blocked, healthy, Snapshots.stream("c", .blocked)])
        == "2 of 3 streams blocked: a: Box refuses the position; use: box-eventd position set a now "
        + "(and 1 more) · 1 204 331 spooled")
    #expect(
      text([Snapshots.stream("c", .blocked)])
        == "The stream is blocked: c: needs a person, see the journal · 0 spooled")
  }

  @Test func theWorstProblemWins() {
    var late = healthy
    late.isTimely = false
    let paused = Snapshots.stream("p", .paused, "the disk has 200 MiB left, keep_free is 256MiB")
    let waiting = Snapshots.stream("w", .waiting, "Box answered 503")
    let stalled = Snapshots.stream("s", .stalled)
    #expect(
      text([waiting, paused, stalled, late])
        == "1 of 4 streams overdue: default: past its deadline, the watchdog will restart the service "
        + "· 3 with other problems · 1 204 331 spooled")
    #expect(text([waiting, paused, stalled]).hasPrefix("1 of 3 streams stalled: s: Box serves only events"))
    #expect(text([waiting, paused]).hasPrefix("1 of 2 streams paused: p: the disk has 200 MiB left"))
    #expect(
      text([waiting]) == "The stream is failing: w: Box answered 503; tried again by itself · 0 spooled")
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
