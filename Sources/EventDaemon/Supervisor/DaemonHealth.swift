import BoxEvents
import Systemd

/// What the watchdog and the exit rules ask of all streams together.
struct DaemonHealth {
  /// The watchdog checks this long after a stage should have given itself up.
  static let grace = Duration.seconds(30)

  let telemetries: [StreamTelemetry]

  /// Overdue if any stage of any stream is past its deadline and the grace.
  func watchdog(at now: FeedInstant) -> Watchdog.Health {
    for telemetry in telemetries {
      guard let overrun = telemetry.overrun(at: now), overrun > Self.grace else { continue }
      let snapshot = telemetry.snapshot(at: now)
      return .overdue(
        "stream \(snapshot.name) is \(overrun.components.seconds) s past the deadline of its stage "
          + "(\(snapshot.state.rawValue))")
    }
    return .healthy
  }

  /// Whether every stream requires operator action, and for what.
  var operatorActionRequired: OperatorActionRequired? {
    let operatorActionRequired = telemetries.compactMap(\.operatorActionRequired)
    guard !operatorActionRequired.isEmpty, operatorActionRequired.count == telemetries.count else {
      return nil
    }
    return operatorActionRequired.first { $0.remedy == .signIn } ?? operatorActionRequired.first
  }

  /// Every stream has recovered, or said why it can't yet: a full disk, a person to act.
  var isProven: Bool {
    telemetries.allSatisfy { $0.hasRecovered || $0.isPaused || $0.operatorActionRequired != nil }
  }
}
