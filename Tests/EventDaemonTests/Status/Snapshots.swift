import BoxEvents

@testable import EventDaemon

/// Snapshots for the tests of everything that renders them.
enum Snapshots {
  /// 2026-03-01T07:05:09Z.
  static let now: Double = 1_772_348_709

  /// A stream in good health.
  static var healthy: StreamSnapshot {
    var stream = StreamSnapshot(name: "default", state: .polling)
    stream.position = "1152922976252290886"
    stream.hasRecovered = true
    stream.eventsTotal = 1_204_331
    stream.duplicatesTotal = 17
    stream.bytesTotal = 1_999_999_999
    stream.lastEventAt = now - 12.5
    stream.lastCommitAt = now - 12
    stream.positionAge = .milliseconds(12_500)
    stream.retentionLeft = .seconds(20 * 86_400 + 3_600)
    stream.requests = [
      .init(endpoint: "poll", code: "200"): 3, .init(endpoint: "events", code: "200"): 5,
      .init(endpoint: "events", code: "503"): 1,
    ]
    stream.requestSeconds.record(0.004)
    stream.requestSeconds.record(0.3)
    stream.requestSeconds.record(2_000)
    return stream
  }

  /// Those of nearly an hour, with a budget.
  static var calls: CallUsage {
    CallUsage(
      counts: [.events: 45, .options: 6, .token: 2], span: .seconds(3_590), isFullHour: true, limit: 600,
      waiting: 3)
  }

  static func stream(_ name: String, _ state: StreamState, _ error: String? = nil) -> StreamSnapshot {
    var stream = StreamSnapshot(name: name, state: state)
    stream.hasRecovered = true
    stream.error = error
    return stream
  }

  static func daemon(_ streams: [StreamSnapshot], _ phase: DaemonSnapshot.Phase = .running) -> DaemonSnapshot
  {
    DaemonSnapshot(version: "1.2.3", phase: phase, since: now - 3 * 3_600 - 300, streams: streams)
  }
}
