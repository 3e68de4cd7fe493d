import BoxEvents
import FoundationEssentials

/// The answer of `GET /status`, and the output of `status --json`. Times are RFC 3339 text in UTC, ages are seconds, a
/// position is text because its digits don't fit a JSON number; `null` is "not known".
package struct StatusReport: Hashable, Sendable, Decodable {
  package var version: String
  /// `starting`, `running`, `degraded` (a stream has a problem) or `stopping`.
  package var state: String
  package var since: String?
  package var streams: [Stream]

  /// One stream.
  package struct Stream: Hashable, Sendable, Decodable {
    package var name: String
    /// A ``StreamState``'s raw value.
    package var state: String
    package var streamPosition: String?
    package var eventsTotal: UInt64
    package var duplicatesTotal: UInt64
    package var gapsTotal: UInt64
    package var bytesTotal: UInt64
    package var lastEventAt: String?
    package var lastCommitAt: String?
    package var positionAgeSeconds: Double?
    package var retentionLeftSeconds: Double?
    package var error: String?

    /// In the documented order.
    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, state
      case streamPosition = "stream_position"
      case eventsTotal = "events_total"
      case duplicatesTotal = "duplicates_total"
      case gapsTotal = "gaps_total"
      case bytesTotal = "bytes_total"
      case lastEventAt = "last_event_at"
      case lastCommitAt = "last_commit_at"
      case positionAgeSeconds = "position_age_seconds"
      case retentionLeftSeconds = "retention_left_seconds"
      case error
    }
  }

  package init(_ snapshot: DaemonSnapshot) {
    version = snapshot.version
    state = snapshot.state
    since = UTCDate(secondsSince1970: snapshot.since)?.rfc3339
    streams = snapshot.streams.map(Stream.init)
  }
}

extension StatusReport.Stream {
  init(_ snapshot: StreamSnapshot) {
    name = snapshot.name
    state = snapshot.state.rawValue
    streamPosition = snapshot.position
    eventsTotal = snapshot.eventsTotal
    duplicatesTotal = snapshot.duplicatesTotal
    gapsTotal = snapshot.gapsTotal
    bytesTotal = snapshot.bytesTotal
    lastEventAt = snapshot.lastEventAt.flatMap { UTCDate(secondsSince1970: $0)?.rfc3339 }
    lastCommitAt = snapshot.lastCommitAt.flatMap { UTCDate(secondsSince1970: $0)?.rfc3339 }
    positionAgeSeconds = snapshot.positionAge.map { $0 / .seconds(1) }
    retentionLeftSeconds = snapshot.retentionLeft.map { $0 / .seconds(1) }
    error = snapshot.error
  }
}

extension StatusReport {
  /// The report as one JSON object, keys in the documented order, and a newline.
  package var json: String {
    var object = JSONObjectWriter()
    object.add("version", version)
    object.add("state", state)
    object.add("since", since)
    object.add("streams", raw: "[" + streams.map(\.json).joined(separator: ",") + "]")
    return object.text + "\n"
  }

  /// Parses a report of another process.
  /// - Throws: `StatusFailure` if it is not a report.
  package init(parsing json: [UInt8]) throws(StatusFailure) {
    do {
      self = try JSONDecoder().decode(StatusReport.self, from: Data(json))
    } catch {
      throw StatusFailure(
        .unreadable, "the answer is not a status report of box-eventd",
        hint: "Check [status] socket: another program may listen on it. Then restart the service.")
    }
  }
}

extension StatusReport.Stream {
  fileprivate var json: String {
    var object = JSONObjectWriter()
    for key in CodingKeys.allCases {
      let name = key.rawValue
      switch key {
      case .name: object.add(name, self.name)
      case .state: object.add(name, state)
      case .streamPosition: object.add(name, streamPosition)
      case .eventsTotal: object.add(name, eventsTotal)
      case .duplicatesTotal: object.add(name, duplicatesTotal)
      case .gapsTotal: object.add(name, gapsTotal)
      case .bytesTotal: object.add(name, bytesTotal)
      case .lastEventAt: object.add(name, lastEventAt)
      case .lastCommitAt: object.add(name, lastCommitAt)
      case .positionAgeSeconds: object.add(name, positionAgeSeconds)
      case .retentionLeftSeconds: object.add(name, retentionLeftSeconds)
      case .error: object.add(name, error)
      }
    }
    return object.text
  }
}
