import Testing

@testable import EventDaemon

/// Metrics at the borders of what is shown.
@Suite struct StatusBordersTests {
  private func streams(_ count: Int) -> [StreamSnapshot] {
    (0..<count).map { Snapshots.stream("s\($0)", .polling) }
  }

  private func metrics(_ streams: [StreamSnapshot]) -> [Substring] {
    PrometheusText(Snapshots.daemon(streams)).text.split(separator: "\n")
  }

  @Test func twoHundredStreamsHaveSeriesOfTheirOwnAndMoreHaveNot() {
    #expect(metrics(streams(200)).contains { $0 == "box_eventd_events_total{stream=\"s199\"} 0" })
    let many = metrics(streams(201))
    #expect(!many.contains { $0.contains("stream=\"s") })
    #expect(many.contains { $0 == "box_eventd_events_total{stream=\"\"} 0" })
    #expect(many.count < 200)
  }

  @Test func everyFamilyHasItsType() {
    let types = metrics([Snapshots.healthy]).filter { $0.hasPrefix("# TYPE ") }
    for family in types {
      let words = family.split(separator: " ")
      let expected =
        words[2].hasSuffix("_total")
        ? "counter"
        : ["request_seconds", "commit_seconds", "delivery_delay_seconds"].contains {
          words[2] == "box_eventd_\($0)"
        }
          ? "histogram" : "gauge"
      #expect(words[3] == expected, "\(family)")
    }
    #expect(types.count >= 13)
  }

  @Test func aMeasureOnABoundBelongsToIt() {
    var histogram = Histogram()
    for bound in Histogram.bounds { histogram.record(bound) }
    histogram.record(900.1)
    #expect(histogram.counts == [UInt64](repeating: 1, count: Histogram.bounds.count + 1))
    #expect(histogram.count == UInt64(Histogram.bounds.count + 1))
    let sum = histogram.sum
    for nothing in [-0.1, -Double.infinity, .infinity, .nan] { histogram.record(nothing) }
    #expect(histogram.sum == sum)
    #expect(histogram.count == UInt64(Histogram.bounds.count + 1))
  }

  @Test func theLastEventOfAllStreamsIsTheNewest() {
    var (left, right) = (Snapshots.healthy, Snapshots.healthy)
    left.lastEventAt = Snapshots.now - 3000
    right.lastEventAt = Snapshots.now - 5
    for pair in [[left, right], [right, left]] {
      #expect(StatusLine.text(Snapshots.daemon(pair), now: Snapshots.now).contains("last event 5 s ago"))
    }
  }

  @Test func aPageOfManyStreamsStaysSmall() {
    let html = StatusPage.html(Snapshots.daemon(streams(2000)), now: Snapshots.now)
    #expect(html.split(separator: "<tr>").count <= 502)
    #expect(html.contains("and 1500 more streams"))
  }

  @Test func whatATerminalWouldObeyIsEscaped() {
    let report = StatusReport(Snapshots.daemon([Snapshots.stream("a\u{1B}[2J", .blocked, "b\u{202E}\nc")]))
    let text = StatusText.text(report, now: Snapshots.now)
    #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
    #expect(text.contains("a\\u{1B}[2J") && text.contains("b\\u{202E}\\u{A}c"))
  }

  private func event(_ line: String) throws -> EventText {
    try #require(Array(line.utf8).withUnsafeBytes { EventText($0) })
  }

  @Test func anEventIsOneLineWhateverItHolds() throws {
    let pretty = try event(
      #"{"event_type":"X\n","created_at":"2026-01-01T00:00:00Z","created_by":{"name":"a\u001b[2J"},"source":{"type":"file","name":"\u202e"}}"#
    ).pretty
    #expect(pretty == #"2026-01-01T00:00:00Z  X\u{A}  a\u{1B}[2J  file “\u{202E}”"#)
    #expect(try event("{}").pretty == "-  -  -  -")
  }

  @Test func aDurationIsBeforeNow() {
    #expect(EventText.since("10m", now: 1000) == 400)
    #expect(EventText.since("1970-01-01T00:10:00Z", now: 1000) == 600)
    for text in ["", "10", "soon", "-1m", "2026-01-01"] { #expect(EventText.since(text, now: 0) == nil) }
  }
}
