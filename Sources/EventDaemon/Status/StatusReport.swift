import BoxEvents

/// What `GET /status` and `status --json` say. Times are RFC 3339 text in UTC, ages are seconds, a
/// position is text because its digits don't fit a JSON number; `null` is "not known".
public struct StatusReport: Hashable, Sendable, Decodable {
  public var version: String
  /// `starting`, `running`, `degraded` (a stream is in problem) or `stopping`.
  public var state: String
  public var since: String?
  public var streams: [Stream]

  /// One stream.
  public struct Stream: Hashable, Sendable, Decodable {
    public var name: String
    /// A ``StreamState``'s raw value.
    public var state: String
    public var streamPosition: String?
    public var eventsTotal: UInt64
    public var duplicatesTotal: UInt64
    public var gapsTotal: UInt64
    public var bytesTotal: UInt64
    public var lastEventAt: String?
    public var lastCommitAt: String?
    public var positionAgeSeconds: Double?
    public var retentionLeftSeconds: Double?
    public var error: String?

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

  public init(_ snapshot: DaemonSnapshot) {
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
