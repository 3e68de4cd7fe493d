import BoxEvents
import Logging
import Systemd

/// Tells systemd how the daemon is, and ends it when every stream requires operator action.
struct Monitor: Sendable {
  let assembly: DaemonAssembly

  /// Between two looks at the streams.
  private static let step = Duration.seconds(1)
  /// `STATUS=` is sent when the problem changes, else only this often: it counts seconds.
  private static let statusInterval = Duration.seconds(10)
  /// Each look at an unfinished recovery asks systemd for this much more time.
  private static let recoveryExtension = Duration.seconds(60)

  func run() async throws {
    defer { stop() }
    await start()
    var lastStatus: (text: String, problem: String, at: FeedInstant)?
    while !Task.isCancelled {
      let now = assembly.clock.now
      let snapshot = assembly.snapshot()
      let problem = snapshot.state + (snapshot.streams.first { $0.problem != nil }?.error ?? "")
      let isDue = lastStatus.map { $0.problem != problem || now >= $0.at + Self.statusInterval } ?? true
      if isDue {
        let text = StatusLine.text(snapshot, now: LocalTime.now)
        if text != lastStatus?.text { assembly.notifier.send(.status(text)) }
        lastStatus = (text, problem, now)
      }
      let wasRequired = operatorActionRequired != nil
      try? await Task.sleep(for: Self.step)
      // Looked at twice: a reload may have fixed it in the meantime.
      if wasRequired, !Task.isCancelled, let operatorActionRequired {
        throw DaemonFailure(operatorActionRequired)
      }
    }
  }

  /// Waits until lock, state and spool are proven, then says so. Box may be unreachable: that shows
  /// in the status and doesn't fail the boot.
  private func start() async {
    var looks = 0
    while !Task.isCancelled, !DaemonHealth(telemetries: assembly.supervisor.telemetries).isProven {
      if looks % 100 == 0 { assembly.notifier.send(.extendTimeout(Self.recoveryExtension)) }
      looks += 1
      // A cancelled sleep ends the loop: asked to stop before it was ready, the daemon has not failed.
      try? await Task.sleep(for: .milliseconds(20))
    }
    guard !Task.isCancelled, assembly.phase.advance(to: .running) else { return }
    assembly.notifier.send(.ready, .status(StatusLine.text(assembly.snapshot(), now: LocalTime.now)))
  }

  private var operatorActionRequired: OperatorActionRequired? {
    DaemonHealth(telemetries: assembly.supervisor.telemetries).operatorActionRequired
  }

  /// Says once that the daemon ends: when it is asked to, before the streams have done what they are at.
  func stop() {
    guard assembly.phase.advance(to: .stopping) else { return }
    assembly.notifier.send(.stopping, .status(StatusLine.text(assembly.snapshot(), now: LocalTime.now)))
    assembly.logger.notice("stopping", id: .stopping)
  }
}
