import BoxEvents

/// The metrics in Prometheus' text format.
///
/// Every stream has its own series as long as there are at most ``maximumStreams``. With more, counts are summed up
/// under `stream=""`, ages are the highest, and only streams with problems, at most as many, show their state and age.
///
/// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>, "Text-based format".
struct PrometheusText {
  /// A stream has up to 80 series, most of them buckets: a Prometheus handles 16,000 series of one target well.
  static let maximumStreams = 200

  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Streams that share their series, and the `stream` label of those.
  private typealias Group = (label: String, streams: [StreamSnapshot])

  private(set) var text = ""

  init(_ snapshot: DaemonSnapshot) {
    let isSummed = snapshot.streams.count > Self.maximumStreams
    let shown = isSummed ? snapshot.streams.filter { $0.problem != nil } : snapshot.streams
    let each: [Group] = shown.prefix(Self.maximumStreams).map { ($0.name, [$0]) }
    let groups = isSummed ? [("", snapshot.streams)] : each
    // Calls for tokens belong to no stream; where all streams are summed up, they have the same label.
    let signIns = snapshot.signIns.requests.isEmpty ? [] : [snapshot.signIns]
    let callers: [Group] =
      isSummed ? [("", snapshot.streams + signIns)] : each + signIns.map { ("", [$0]) }
    daemon(snapshot)
    calls(snapshot.calls)
    counters(groups)
    requests(callers)
    histograms(callers, \.requestSeconds, "request_seconds", "Duration of calls to Box.")
    histograms(groups, \.commitSeconds, "commit_seconds", "Time to make a batch durable.")
    histograms(
      groups, \.deliveryDelaySeconds, "delivery_delay_seconds",
      "Time from an event's created_at to durable; compares two clocks.")
    ages(isSummed ? groups + each : groups)
    states(each)
  }

  private mutating func daemon(_ snapshot: DaemonSnapshot) {
    family("info", "gauge", "The running daemon; always 1.")
    sample("info", [("version", snapshot.version)], "1")
    family("start_time_seconds", "gauge", "When the daemon started, seconds since 1970.")
    sample("start_time_seconds", [], Self.number(snapshot.since))
    family(
      "configuration_differs", "gauge",
      "1 if not all of the configuration on disk is in force, else 0.")
    sample("configuration_differs", [], snapshot.difference == nil ? "0" : "1")
    family("streams", "gauge", "Streams by state.")
    for state in StreamState.allCases {
      let count = snapshot.streams.count { $0.state == state }
      sample("streams", [("state", state.rawValue)], String(count))
    }
  }

  private mutating func calls(_ usage: CallUsage) {
    family("calls_last_hour", "gauge", "Calls to Box in the last hour, but for long polls, by kind.")
    for kind in CallKind.allCases {
      sample("calls_last_hour", [("kind", kind.rawValue)], String(usage.counts[kind] ?? 0))
    }
    family("calls_month_projection", "gauge", "Calls in 30 days, if those of the last hour go on.")
    sample("calls_month_projection", [], String(usage.monthProjection))
    family("calls_waiting", "gauge", "Calls that wait for their turn.")
    sample("calls_waiting", [], String(usage.waiting))
    guard let limit = usage.limit else { return }
    family("calls_per_minute_limit", "gauge", "The key calls_per_minute, where it is set.")
    sample("calls_per_minute_limit", [], String(limit))
  }

  private mutating func counters(_ groups: [Group]) {
    let counters: [(String, String, KeyPath<StreamSnapshot, UInt64>)] = [
      ("events_total", "Events in the stream's spool since its first start.", \.eventsTotal),
      ("duplicates_total", "Events that Box sent again; not spooled.", \.duplicatesTotal),
      ("bytes_total", "Bytes written to the spool.", \.bytesTotal),
      ("gaps_total", "Possible losses of events, as recorded in gaps.ndjson.", \.gapsTotal),
      (
        "quarantined_total", "Entries of Box's answers that are not events; see quarantine.ndjson.",
        \.quarantinedTotal
      ),
      ("overlap_checks_total", "Lookbacks: ranges read again to find late events.", \.lookbacksTotal),
      ("late_events_total", "Events that only a lookback found.", \.lateTotal),
    ]
    for (name, help, count) in counters {
      family(name, "counter", help)
      // A zero before the recovery would look like a reset, and the count after it like news.
      let isOfAllRuns = ["events_total", "gaps_total"].contains(name)
      for group in groups where !isOfAllRuns || group.streams.haveCounts {
        sample(name, [("stream", group.label)], String(group.streams.total(count)))
      }
    }
  }

  private mutating func requests(_ groups: [Group]) {
    family("requests_total", "counter", "Calls to Box by endpoint and HTTP status or failure.")
    for group in groups {
      var counts: [StreamSnapshot.RequestKey: UInt64] = [:]
      for stream in group.streams { counts.merge(stream.requests) { $0 &+ $1 } }
      let sorted = counts.sorted { ($0.key.endpoint, $0.key.code) < ($1.key.endpoint, $1.key.code) }
      for (key, count) in sorted {
        let labels = [("stream", group.label), ("endpoint", key.endpoint), ("code", key.code)]
        sample("requests_total", labels, String(count))
      }
    }
  }

  private mutating func histograms(
    _ groups: [Group], _ histogram: KeyPath<StreamSnapshot, Histogram>, _ name: String, _ help: String
  ) {
    family(name, "histogram", help)
    for group in groups {
      var total = Histogram()
      for stream in group.streams { total.add(stream[keyPath: histogram]) }
      buckets(name, group.label, total)
    }
  }

  private mutating func buckets(_ name: String, _ stream: String, _ histogram: Histogram) {
    var cumulative: UInt64 = 0
    for (index, bound) in (Histogram.bounds.map(Self.number) + ["+Inf"]).enumerated() {
      if histogram.count > 0 { cumulative &+= histogram.counts[index] }
      sample("\(name)_bucket", [("stream", stream), ("le", bound)], String(cumulative))
    }
    sample("\(name)_sum", [("stream", stream)], Self.number(histogram.sum))
    sample("\(name)_count", [("stream", stream)], String(histogram.count))
  }

  private mutating func ages(_ groups: [Group]) {
    family(
      "position_age_seconds", "gauge", "Time since the stream was last known to be complete, by Box's clock.")
    for group in groups {
      guard let age = group.streams.compactMap(\.positionAge).max() else { continue }
      sample("position_age_seconds", [("stream", group.label)], Self.number(age / .seconds(1)))
    }
  }

  private mutating func states(_ groups: [Group]) {
    family("stream_state", "gauge", "1 for the current state of the stream.")
    for stream in groups.flatMap(\.streams) {
      sample("stream_state", [("stream", stream.name), ("state", stream.state.rawValue)], "1")
    }
  }

  private mutating func family(_ name: String, _ type: String, _ help: String) {
    text += "# HELP box_eventd_\(name) \(help)\n# TYPE box_eventd_\(name) \(type)\n"
  }

  private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
    let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    text += "box_eventd_\(name)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
  }

  /// A label's value: backslash, quote and newline are escaped.
  static func escaped(_ value: String) -> String {
    value.replacingScalars(["\\": #"\\"#, "\"": #"\""#, "\n": #"\n"#])
  }

  static func number(_ value: Double) -> String { JSONObjectWriter.number(value) ?? "NaN" }
}

extension [StreamSnapshot] {
  /// What earlier runs have counted is known; in a sum, but for streams that a recovery has blocked.
  fileprivate var haveCounts: Bool {
    contains(where: \.hasRecovered) && allSatisfy { $0.hasRecovered || $0.state == .blocked }
  }
}
