import Testing

@testable import EventDaemon

@Suite struct StatusPageTests {
  private func html(_ streams: [StreamSnapshot]) -> String {
    StatusPage.html(Snapshots.daemon(streams), now: Snapshots.now)
  }

  @Test func showsEveryStream() {
    let page = html([Snapshots.healthy, Snapshots.stream("b", .stalled)])
    #expect(page.contains("<th scope=\"row\">default</th>"))
    #expect(page.contains("<td class=\"n\">1 204 331</td>"))
    #expect(page.contains("1152922976252290886"))
    #expect(page.contains("<span class=\"state stalled\">stalled</span>"))
    #expect(page.contains("<span class=\"state degraded\">degraded</span>"))
    #expect(page.contains("http-equiv=\"refresh\""))
  }

  @Test func whenTheNextTryIs() {
    var waiting = Snapshots.stream("w", .waiting, "Box answered 403")
    #expect(html([waiting]).contains(">Box answered 403</td>"))
    waiting.nextAttempt = .seconds(14 * 60 + 10)
    #expect(html([waiting]).contains(">Box answered 403 (next try in 14 min)</td>"))
  }

  @Test func loadsNothingFromElsewhere() {
    let page = html([Snapshots.healthy])
    for needle in ["http://", "https://", "src=", "<script", "url(", "@import", "<link"] {
      #expect(!page.contains(needle), "\(needle)")
    }
  }

  @Test func allTextIsEscaped() {
    let evil = "<script>alert('1')</script>\"&\u{202e}\n"
    var stream = Snapshots.stream(evil, .blocked, evil)
    stream.position = evil
    let page = StatusPage.html(
      DaemonSnapshot(version: evil, phase: .running, since: .nan, streams: [stream]), now: Snapshots.now)
    #expect(!page.contains("<script"))
    #expect(!page.contains("\u{202e}"))
    #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\\u{202E}\\u{A}"))
  }

  @Test func streamsWithProblemsComeFirstAndRowsAreLimited() throws {
    let streams =
      (0..<2_000).map { Snapshots.stream("s\($0)", .polling) } + [Snapshots.stream("bad", .blocked, "x")]
    let page = html(streams)
    let bad = try #require(page.firstRange(of: ">bad<")).lowerBound
    let first = try #require(page.firstRange(of: ">s0<")).lowerBound
    #expect(bad < first)
    #expect(page.contains("and 1501 more streams"))
    #expect(html([]).contains("No streams."))
  }
}
