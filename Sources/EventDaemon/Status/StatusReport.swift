import BoxEvents
import FoundationEssentials

/// The answer of `GET /status`, and the output of `status --json`. Times are RFC 3339 text in UTC, ages are seconds, a
/// position is text because its digits don't fit a JSON number; `null` is "not known".
package struct StatusReport: Hashable, Sendable, Decodable {
  package var version: String
  /// `starting`, `running`, `degraded` (a stream has a problem) or `stopping`.
  package var state: String
  package var since: String?
  /// To follow "configuration on disk": how it differs from the one in force.
  package var configurationDifference: String?
  /// Nil in the report of an older version.
  package var calls: Calls?
  package var streams: [Stream]

  /// Calls to Box but for long polls.
  package struct Calls: Hashable, Sendable, Decodable {
    /// The time they were made in: about an hour, or less after a start.
    package var seconds: Double
    package var isFullHour: Bool
    package var events: UInt64
    package var options: UInt64
    package var token: UInt64
    package var user: UInt64
    /// So many in 30 days, if it goes on like that.
    package var monthProjection: UInt64
    /// `calls_per_minute`.
    package var limitPerMinute: Int?
    /// Calls that wait for their turn now.
    package var waiting: Int
  }

  package struct Stream: Hashable, Sendable, Decodable {
    package var name: String
    /// A ``StreamState``'s raw value.
    package var state: String
    package var streamPosition: String?
    /// Like `gapsTotal`, nil until the stream has been recovered.
    package var eventsTotal: UInt64?
    package var duplicatesTotal: UInt64
    package var gapsTotal: UInt64?
    package var bytesTotal: UInt64
    package var lastEventAt: String?
    package var lastCommitAt: String?
    package var positionAgeSeconds: Double?
    package var retentionLeftSeconds: Double?
    package var error: String?
    /// Until what is wrong is tried again; left out where no attempt is planned.
    package var nextAttemptSeconds: Double?
    /// How long Box's answer to a request has been awaited; left out for the first minute.
    package var answerAwaitedSeconds: Double?
  }

  init(_ snapshot: DaemonSnapshot) {
    version = snapshot.version
    state = snapshot.state
    since = UTCDate(secondsSince1970: snapshot.since)?.rfc3339
    configurationDifference = snapshot.difference
    calls = Calls(snapshot.calls)
    streams = snapshot.streams.map { Stream($0) }
  }
}

extension StatusReport.Calls {
  fileprivate init(_ usage: CallUsage) {
    self.init(
      seconds: (usage.span / .seconds(1)).rounded(), isFullHour: usage.isFullHour,
      events: usage.counts[.events] ?? 0, options: usage.counts[.options] ?? 0,
      token: usage.counts[.token] ?? 0, user: usage.counts[.user] ?? 0,
      monthProjection: usage.monthProjection, limitPerMinute: usage.limit, waiting: usage.waiting)
  }

  var counts: CallCounts { [.events: events, .options: options, .token: token, .user: user] }
}

extension StatusReport.Stream {
  fileprivate init(_ snapshot: StreamSnapshot) {
    name = snapshot.name
    state = snapshot.state.rawValue
    streamPosition = snapshot.position
    eventsTotal = snapshot.hasRecovered ? snapshot.eventsTotal : nil
    duplicatesTotal = snapshot.duplicatesTotal
    gapsTotal = snapshot.hasRecovered ? snapshot.gapsTotal : nil
    bytesTotal = snapshot.bytesTotal
    lastEventAt = snapshot.lastEventAt.flatMap { UTCDate(secondsSince1970: $0)?.rfc3339 }
    lastCommitAt = snapshot.lastCommitAt.flatMap { UTCDate(secondsSince1970: $0)?.rfc3339 }
    positionAgeSeconds = snapshot.positionAge.map { $0 / .seconds(1) }
    retentionLeftSeconds = snapshot.retentionLeft.map { $0 / .seconds(1) }
    error = snapshot.error
    nextAttemptSeconds = snapshot.nextAttempt.map { $0 / .seconds(1) }
    answerAwaitedSeconds = snapshot.answerAwaited.map { $0 / .seconds(1) }
  }
}

extension StatusReport {
  /// The report as one JSON object, keys in the documented order, and a newline.
  package var json: String {
    var object = JSONObjectWriter()
    object.add("version", version)
    object.add("state", state)
    object.add("since", since)
    object.add("configuration_difference", configurationDifference)
    if let calls { object.add("calls", raw: calls.json) }
    object.add("streams", raw: "[" + streams.map(\.json).joined(separator: ",") + "]")
    return object.text + "\n"
  }

  /// Parses a report of another process.
  /// - Throws: `StatusFailure` if it is not a report.
  package init(parsing json: [UInt8]) throws(StatusFailure) {
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      self = try decoder.decode(StatusReport.self, from: Data(json))
    } catch {
      throw StatusFailure(
        .unreadable, "the answer is not a status report of box-eventd",
        hint: "Check [status] socket: another program may listen on it. Then restart the service.")
    }
  }
}

extension StatusReport.Calls {
  fileprivate var json: String {
    var object = JSONObjectWriter()
    object.add("seconds", seconds)
    object.add("is_full_hour", raw: isFullHour ? "true" : "false")
    for kind in CallKind.allCases { object.add(kind.rawValue, counts[kind] ?? 0) }
    object.add("month_projection", monthProjection)
    object.add("limit_per_minute", raw: limitPerMinute.map(String.init) ?? "null")
    object.add("waiting", waiting)
    return object.text
  }
}

extension StatusReport.Stream {
  fileprivate var json: String {
    var object = JSONObjectWriter()
    object.add("name", name)
    object.add("state", state)
    object.add("stream_position", streamPosition)
    object.add("events_total", raw: eventsTotal.map(String.init) ?? "null")
    object.add("duplicates_total", duplicatesTotal)
    object.add("gaps_total", raw: gapsTotal.map(String.init) ?? "null")
    object.add("bytes_total", bytesTotal)
    object.add("last_event_at", lastEventAt)
    object.add("last_commit_at", lastCommitAt)
    object.add("position_age_seconds", positionAgeSeconds)
    object.add("retention_left_seconds", retentionLeftSeconds)
    object.add("error", error)
    if let nextAttemptSeconds { object.add("next_attempt_seconds", nextAttemptSeconds) }
    if let answerAwaitedSeconds { object.add("answer_awaited_seconds", answerAwaitedSeconds) }
    return object.text
  }
}
