import Testing

@testable import EventDaemon

@Suite struct PrometheusTextTests {
  private func lines(_ streams: [StreamSnapshot]) -> [Substring] {
    PrometheusText(Snapshots.daemon(streams)).text.split(separator: "\n")
  }

  @Test func aStreamsSeries() {
    var stream = Snapshots.healthy
    stream.gapsTotal = 2
    stream.quarantinedTotal = 1
    let lines = lines([stream])
    for expected in [
      "box_eventd_info{version=\"1.2.3\"} 1", "box_eventd_start_time_seconds 1772337609",
      "box_eventd_configuration_differs 0",
      "box_eventd_streams{state=\"polling\"} 1", "box_eventd_streams{state=\"blocked\"} 0",
      "box_eventd_events_total{stream=\"default\"} 1204331",
      "box_eventd_duplicates_total{stream=\"default\"} 17",
      "box_eventd_bytes_total{stream=\"default\"} 1999999999",
      "box_eventd_gaps_total{stream=\"default\"} 2", "box_eventd_quarantined_total{stream=\"default\"} 1",
      "box_eventd_requests_total{stream=\"default\",endpoint=\"events\",code=\"200\"} 5",
      "box_eventd_requests_total{stream=\"default\",endpoint=\"events\",code=\"503\"} 1",
      "box_eventd_requests_total{stream=\"default\",endpoint=\"poll\",code=\"200\"} 3",
      "box_eventd_request_seconds_bucket{stream=\"default\",le=\"0.0025\"} 0",
      "box_eventd_request_seconds_bucket{stream=\"default\",le=\"0.005\"} 1",
      "box_eventd_request_seconds_bucket{stream=\"default\",le=\"0.5\"} 2",
      "box_eventd_request_seconds_bucket{stream=\"default\",le=\"900\"} 2",
      "box_eventd_request_seconds_bucket{stream=\"default\",le=\"+Inf\"} 3",
      "box_eventd_request_seconds_sum{stream=\"default\"} 2000.304",
      "box_eventd_request_seconds_count{stream=\"default\"} 3",
      "box_eventd_commit_seconds_count{stream=\"default\"} 0",
      "box_eventd_delivery_delay_seconds_count{stream=\"default\"} 0",
      "box_eventd_position_age_seconds{stream=\"default\"} 12.5",
      "box_eventd_stream_state{stream=\"default\",state=\"polling\"} 1",
    ] {
      #expect(lines.contains { $0 == expected }, "\(expected)")
    }
  }

  @Test func callsOfTheLastHour() {
    var daemon = Snapshots.daemon([Snapshots.healthy])
    daemon.calls = Snapshots.calls
    let lines = PrometheusText(daemon).text.split(separator: "\n")
    for expected in [
      #"box_eventd_calls_last_hour{kind="events"} 45"#, #"box_eventd_calls_last_hour{kind="options"} 6"#,
      #"box_eventd_calls_last_hour{kind="token"} 2"#, #"box_eventd_calls_last_hour{kind="user"} 0"#,
      "box_eventd_calls_month_projection 38266", "box_eventd_calls_waiting 3",
      "box_eventd_calls_per_minute_limit 600",
    ] {
      #expect(lines.contains { $0 == expected }, "\(expected)")
    }
    daemon.calls.limit = nil
    #expect(!PrometheusText(daemon).text.contains("calls_per_minute_limit"))
  }

  /// They belong to no stream; with many streams they are in the sum.
  @Test(arguments: [1, PrometheusText.maximumStreams + 1])
  func callsForTokens(streamCount: Int) {
    var daemon = Snapshots.daemon(
      (0..<streamCount).map { index in
        var stream = Snapshots.stream("s\(index)", .polling)
        stream.requests = [.init(endpoint: "events", code: "200"): 1]
        stream.requestSeconds.record(0.3)
        return stream
      })
    daemon.signIns.requests = [.init(endpoint: "token", code: "400"): 3]
    daemon.signIns.requestSeconds.record(0.3)
    let lines = PrometheusText(daemon).text.split(separator: "\n")
    let sum = streamCount == 1 ? 1 : streamCount + 1
    for expected in [
      #"box_eventd_requests_total{stream="",endpoint="token",code="400"} 3"#,
      #"box_eventd_request_seconds_count{stream=""} \#(sum)"#,
    ] {
      #expect(lines.count { $0 == expected } == 1, "\(expected)")
    }
  }

  /// The format's own rules: HELP and TYPE once, before the samples of their family, which are contiguous.
  @Test func theTextIsWellFormed() {
    var family = ""
    var seen: Set<String> = []
    var series: Set<Substring> = []
    for line in lines([Snapshots.healthy, Snapshots.stream("b", .blocked)]) {
      let words = line.split(separator: " ")
      if line.hasPrefix("# HELP ") {
        family = String(words[2])
        #expect(seen.insert(family).inserted && words.count > 3, "\(line)")
      } else if line.hasPrefix("# TYPE ") {
        #expect(words[2] == family && ["counter", "gauge", "histogram"].contains(words[3]), "\(line)")
      } else {
        #expect(line.hasPrefix(family) && Double(words.last ?? "") != nil, "\(line)")
        #expect(
          series.insert(line.prefix(upTo: line.lastIndex(of: " ") ?? line.startIndex)).inserted, "\(line)")
      }
    }
    #expect(PrometheusText(Snapshots.daemon([])).text.hasSuffix("\n"))
  }

  @Test func unknownAgesHaveNoSeries() {
    #expect(
      !lines([Snapshots.stream("b", .starting)]).contains { $0.hasPrefix("box_eventd_position_age_seconds{") }
    )
  }

  @Test func labelsAreEscaped() {
    #expect(PrometheusText.escaped("a\"b\\c\nd") == #"a\"b\\c\nd"#)
    let line = "box_eventd_requests_total{stream=\"b\",endpoint=\"e\",code=\"\\\"\\n\"} 1"
    var stream = Snapshots.stream("b", .polling)
    stream.requests = [.init(endpoint: "e", code: "\"\n"): 1]
    #expect(lines([stream]).contains { $0 == line })
  }

  @Test func manyStreamsAreSummedUp() {
    var streams = (0..<5_000).map { index in
      var stream = Snapshots.healthy
      stream.name = "s\(index)"
      stream.positionAge = .seconds(index)
      return stream
    }
    streams[7].state = .blocked
    let lines = lines(streams)
    for expected in [
      "box_eventd_events_total{stream=\"\"} 6021655000",
      "box_eventd_requests_total{stream=\"\",endpoint=\"events\",code=\"200\"} 25000",
      "box_eventd_request_seconds_count{stream=\"\"} 15000",
      "box_eventd_request_seconds_bucket{stream=\"\",le=\"0.005\"} 5000",
      "box_eventd_position_age_seconds{stream=\"\"} 4999", "box_eventd_position_age_seconds{stream=\"s7\"} 7",
      "box_eventd_stream_state{stream=\"s7\",state=\"blocked\"} 1",
      "box_eventd_streams{state=\"polling\"} 4999",
    ] {
      #expect(lines.contains { $0 == expected }, "\(expected)")
    }
    #expect(!lines.contains { $0.contains("\"s8\"") })
  }

  @Test func theNumberOfSeriesIsBoundedInTheWorstCase() {
    let streams = (0..<5_000).map { index in
      var stream = Snapshots.healthy
      stream.name = "s\(index)"
      stream.state = .blocked
      return stream
    }
    #expect(lines(streams).count < 600)
    #expect(lines(Array(streams.prefix(PrometheusText.maximumStreams))).count < 16_000)
  }
}
