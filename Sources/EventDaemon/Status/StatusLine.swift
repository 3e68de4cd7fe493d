import BoxEvents

/// The text of systemd's `STATUS=`: one line a person understands, the problem first.
///
/// Source: sd_notify(3), "STATUS=…".
package enum StatusLine {
  /// - Parameter now: local time, seconds since 1970.
  package static func text(_ snapshot: DaemonSnapshot, now: Double) -> String {
    let text =
      switch snapshot.phase {
      case .starting: "Starting \(streams(snapshot.streams.count))"
      case .stopping: "Stopping · \(spooled(snapshot.streams))"
      case .running: running(snapshot.streams, now)
      }
    return PlainText.escaped(text)
  }

  private static func running(_ all: [StreamSnapshot], _ now: Double) -> String {
    let worst = StreamSnapshot.Problem.allCases.first { problem in all.contains { $0.problem == problem } }
    guard let worst else {
      let parts = [
        "Streaming \(streams(all.count))", lastEvent(all, now), spooled(all), positionAge(all),
      ]
      return parts.compactMap(\.self).joined(separator: " · ")
    }
    return problem(worst, all) + " · " + spooled(all)
  }

  /// The worst problem with the first stream that has it, and how many more are in another.
  private static func problem(_ worst: StreamSnapshot.Problem, _ all: [StreamSnapshot]) -> String {
    let affected = all.filter { $0.problem == worst }
    let others = all.count { $0.problem != nil } - affected.count
    let count = all.count == 1 ? "The stream is" : "\(affected.count) of \(all.count) streams"
    let first = affected.first.map { "\($0.name): \($0.error ?? defaultText(worst))" } ?? ""
    let remedy = worst == .failing ? "; tried again by itself" : ""
    return "\(count) \(worst.rawValue): \(first)\(remedy)"
      + (affected.count > 1 ? " (and \(affected.count - 1) more)" : "")
      + (others > 0 ? " · \(others) with other problems" : "")
  }

  private static func defaultText(_ problem: StreamSnapshot.Problem) -> String {
    switch problem {
    case .blocked: "needs a person, see the journal"
    case .overdue: "past its deadline, the watchdog will restart the service"
    case .stalled: "Box serves only events that are known"
    case .paused: "the disk is nearly full"
    case .failing: "see the journal"
    }
  }

  private static func streams(_ count: Int) -> String {
    count == 1 ? "1 stream" : "\(MetricText.count(UInt64(count))) streams"
  }

  private static func lastEvent(_ all: [StreamSnapshot], _ now: Double) -> String? {
    all.compactMap(\.lastEventAt).max().map { "last event \(MetricText.span(now - $0)) ago" }
  }

  private static func spooled(_ all: [StreamSnapshot]) -> String {
    "\(MetricText.count(all.total(\.eventsTotal))) spooled"
  }

  private static func positionAge(_ all: [StreamSnapshot]) -> String? {
    all.compactMap(\.positionAge).max().map { "position age \(MetricText.span($0 / .seconds(1)))" }
  }
}

extension [StreamSnapshot] {
  /// The sum of a count over all streams; stops at the highest number instead of trapping.
  func total(_ count: KeyPath<StreamSnapshot, UInt64>) -> UInt64 {
    reduce(0) { sum, stream in
      let (total, overflow) = sum.addingReportingOverflow(stream[keyPath: count])
      return overflow ? .max : total
    }
  }
}
