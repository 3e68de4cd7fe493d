import BoxEvents

/// What `GET /status` and `status --json` say. Times are RFC 3339 text in UTC, ages are seconds, a
/// position is text because its digits don't fit a JSON number; `null` is "not known".
package struct StatusReport: Hashable, Sendable, Decodable {
  package var version: String
  /// `starting`, `running`, `degraded` (a stream is in problem) or `stopping`.
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

    enum CodingKeys: String, CodingKey {
      case name, state, error
      case streamPosition = "stream_position"
      case eventsTotal = "events_total"
      case duplicatesTotal = "duplicates_total"
      case gapsTotal = "gaps_total"
      case bytesTotal = "bytes_total"
      case lastEventAt = "last_event_at"
      case lastCommitAt = "last_commit_at"
      case positionAgeSeconds = "position_age_seconds"
      case retentionLeftSeconds = "retention_left_seconds"
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
