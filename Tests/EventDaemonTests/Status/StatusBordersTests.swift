import Testing

@testable import EventDaemon

/// Status and metrics at their limits.
@Suite struct StatusBordersTests {
  private func streams(_ count: Int) -> [StreamSnapshot] {
    (0..<count).map { Snapshots.stream("s\($0)", .polling) }
  }

  private func metrics(_ streams: [StreamSnapshot]) -> [Substring] {
    PrometheusText(Snapshots.daemon(streams)).text.split(separator: "\n")
  }

  @Test func upTo200StreamsHaveTheirOwnSeries() {
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

  @Test func escapesTerminalSequences() {
    let report = StatusReport(Snapshots.daemon([Snapshots.stream("a\u{1B}[2J", .blocked, "b\u{202E}\nc")]))
    let text = StatusText.text(report, now: Snapshots.now)
    #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
    #expect(text.contains("a\\u{1B}[2J") && text.contains("b\\u{202E}\\u{A}c"))
  }
}
