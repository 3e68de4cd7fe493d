import BoxEvents

/// The text of systemd's `STATUS=`: one line for operators, the worst problem first. See sd_notify(3).
enum StatusLine {
  /// - Parameter now: local time, seconds since 1970.
  static func text(_ snapshot: DaemonSnapshot, now: Double) -> String {
    let text =
      switch snapshot.phase {
      case .starting: starting(snapshot.streams)
      case .stopping: "Stopping\(spooled(snapshot.streams))"
      case .running: running(snapshot.streams, now)
      }
    let difference = snapshot.difference.map { "; configuration on disk \($0)" } ?? ""
    return PlainText.escaped(text + difference)
  }

  /// What the text reports but for counts and times: a change of it is reported at once.
  static func substance(_ snapshot: DaemonSnapshot) -> [String] {
    let problems = snapshot.streams.compactMap { stream in
      stream.problem.map { "\(stream.name) \($0) \(stream.error ?? "")" }
    }
    return [snapshot.state, snapshot.difference ?? "", "\(snapshot.streams.count)"] + problems
  }

  /// Names the first stream whose spool is being recovered.
  private static func starting(_ all: [StreamSnapshot]) -> String {
    guard let first = all.first(where: { $0.state == .starting }) else {
      return "Starting \(streams(all.count))"
    }
    let done = all.count { $0.state != .starting }
    return "Starting: recovering \(first.name) (\(done + 1) of \(all.count))"
  }

  private static func running(_ all: [StreamSnapshot], _ now: Double) -> String {
    if all.contains(where: { $0.problem != nil }) { return problems(all) + spooled(all) }
    let lastEvent = all.compactMap(\.lastEventAt).max().map { "last event \(MetricText.span(now - $0)) ago" }
    let age = all.compactMap(\.positionAge).max().map { "position age \(MetricText.span($0 / .seconds(1)))" }
    let begin = ["Streaming \(streams(all.count))", lastEvent].compactMap(\.self).joined(separator: " · ")
    return begin + spooled(all) + (age.map { " · \($0)" } ?? "")
  }

  /// The problems, the worst first, each with the first stream that has it.
  private static func problems(_ all: [StreamSnapshot]) -> String {
    var texts: [String] = []
    for problem in StreamSnapshot.Problem.allCases {
      let affected = all.filter { $0.problem == problem }
      guard let first = affected.first else { continue }
      let others = texts.isEmpty ? " of \(all.count) streams" : ""
      let count = all.count == 1 ? "The stream is" : "\(affected.count)\(others)"
      texts.append(
        "\(count) \(problem.rawValue): \(first.name): \(first.error ?? defaultText(problem))\(attempt(first))"
          + (affected.count > 1 ? " (and \(affected.count - 1) more)" : ""))
    }
    return texts.joined(separator: " · ")
  }

  private static func attempt(_ stream: StreamSnapshot) -> String {
    if let next = stream.nextAttempt { return MetricText.attempt(in: next / .seconds(1)) }
    return [.failing, .degraded].contains(stream.problem) ? " (retrying)" : ""
  }

  private static func defaultText(_ problem: StreamSnapshot.Problem) -> String {
    switch problem {
    case .blocked: "operator action required, see the journal"
    case .overdue: "past its deadline; the watchdog will restart the service"
    case .stalled: "Box serves a full page of known events again and again"
    case .paused: "disk full"
    case .failing, .degraded: "see the journal"
    }
  }

  private static func streams(_ count: Int) -> String {
    count == 1 ? "1 stream" : "\(MetricText.count(UInt64(count))) streams"
  }

  /// Empty where no stream's events are counted yet.
  private static func spooled(_ all: [StreamSnapshot]) -> String {
    guard all.isEmpty || all.contains(where: \.hasRecovered) else { return "" }
    return " · \(MetricText.count(all.total(\.eventsTotal))) spooled"
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

/// Counts and durations as text for people.
enum MetricText {
  /// Follows an error; empty where no attempt is planned.
  static func attempt(in seconds: Double?) -> String {
    seconds.map { " (next try in \(span($0)))" } ?? ""
  }

  /// How long Box still keeps what comes after a position. Beside one that was complete within the last hour it means
  /// nothing, and is nil.
  static func retention(left: Double?, age: Double?) -> String? {
    guard let left, let age, age > 3_600 else { return nil }
    return span(left)
  }

  /// Counts by kind, those that are not zero: `events 4 249, token 785`.
  static func calls(_ counts: CallCounts) -> String {
    CallKind.allCases.compactMap { kind in
      counts[kind].flatMap { $0 > 0 ? "\(kind.rawValue) \(count($0))" : nil }
    }.joined(separator: ", ")
  }

  /// Digits in groups of three: `1 204 331`.
  static func count(_ number: UInt64) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(" ") }
      text.append(digit)
    }
    return text
  }

  /// A span of time in its largest unit, two below a day: `12 s`, `3 min`, `2 h 5 min`, `3 d`.
  static func span(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds > 0 else { return "0 s" }
    let seconds = Int64(min(seconds, 1e12))
    switch seconds {
    case 0..<60: return "\(seconds) s"
    case 60..<3_600: return "\(seconds / 60) min"
    case 3_600..<86_400:
      let minutes = seconds % 3_600 / 60
      return "\(seconds / 3_600) h" + (minutes > 0 ? " \(minutes) min" : "")
    default: return "\(seconds / 86_400) d"
    }
  }
}
