import BoxEvents

/// What `box-eventd status` prints: a table with a line for each stream, then errors, late answers, gaps, how the
/// configuration on disk differs, and the calls to Box.
package enum StatusText {
  /// - Parameter now: local time, seconds since 1970.
  package static func text(_ report: StatusReport, now: Double) -> String {
    var lines = [heading(report, now), ""]
    let rows = report.streams.map { row($0, now) }
    lines += rows.isEmpty ? ["no streams"] : aligned([titles] + rows)
    let errors = report.streams.compactMap { stream in
      stream.error.map {
        PlainText.escaped("\(stream.name): \($0)\(MetricText.attempt(in: stream.nextAttemptSeconds))")
      }
    }
    let awaited = report.streams.compactMap { stream in
      stream.answerAwaitedSeconds.map {
        PlainText.escaped("\(stream.name): waiting for Box's answer for \(MetricText.span($0))")
      }
    }
    let gaps = report.streams.compactMap { stream -> String? in
      guard let count = stream.gapsTotal, count > 0 else { return nil }
      return "\(PlainText.escaped(stream.name)): \(MetricText.count(count)) \(count == 1 ? "gap" : "gaps") "
        + "recorded in gaps.ndjson"
    }
    let differences = report.configurationDifference.map {
      [PlainText.escaped("configuration on disk \($0)")]
    }
    let calls = report.calls.map { [self.calls($0)] }
    let sections = [errors, awaited, gaps, differences ?? [], calls ?? []]
    for section in sections where !section.isEmpty { lines += [""] + section }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func heading(_ report: StatusReport, _ now: Double) -> String {
    let since = report.since.map { ", started \($0)" + (age($0, now).map { " (\($0) ago)" } ?? "") }
    return PlainText.escaped("box-eventd \(report.version), \(report.state)\(since ?? "")")
  }

  private static func calls(_ calls: StatusReport.Calls) -> String {
    let counts = calls.counts
    let time = calls.isFullHour ? "last hour" : "\(MetricText.span(calls.seconds)) since the start"
    let kinds = counts.total > 0 ? " (\(MetricText.calls(counts)))" : ""
    // In the first hour, the calls of the start would count as if they went on.
    let projection = calls.isFullHour ? ", about \(MetricText.count(calls.monthProjection)) in 30 days" : ""
    let limit =
      calls.limitPerMinute.map { ", at most \(MetricText.count(UInt64(clamping: $0))) a minute" } ?? ""
    let waiting = calls.waiting > 0 ? ", \(MetricText.count(UInt64(calls.waiting))) waiting" : ""
    return
      "calls to Box in the \(time): \(MetricText.count(counts.total))\(kinds)\(projection)\(limit)\(waiting)"
  }

  private static let titles = [
    "STREAM", "STATE", "EVENTS", "LAST EVENT", "POSITION AGE", "RETENTION LEFT", "POSITION",
  ]

  private static func row(_ stream: StatusReport.Stream, _ now: Double) -> [String] {
    [
      stream.name, stream.state, stream.eventsTotal.map(MetricText.count) ?? "-",
      stream.lastEventAt.flatMap { age($0, now) }.map { "\($0) ago" } ?? "-",
      stream.positionAgeSeconds.map(MetricText.span) ?? "-",
      MetricText.retention(left: stream.retentionLeftSeconds, age: stream.positionAgeSeconds) ?? "-",
      stream.streamPosition ?? "-",
    ].map { PlainText.escaped($0) }
  }

  private static func age(_ time: String, _ now: Double) -> String? {
    UTCDate(rfc3339: time).map { MetricText.span(now - Double($0.secondsSince1970)) }
  }

  /// Columns two spaces apart, no spaces at line ends.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let widths = titles.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        // The numbers of events end in one column.
        return column == 2 ? space + row[column] : row[column] + space
      }
      var line = cells.joined(separator: "  ")[...]
      while line.last == " " { line = line.dropLast() }
      return String(line)
    }
  }
}
