import BoxEvents
import Logging
import Synchronization
import Systemd

/// Reports the daemon's state to systemd, and ends the daemon when every stream requires operator action.
struct Monitor: Sendable {
  let status: StatusReporter
  let logger: Logger
  let clock: MonotonicFeedClock
  let phase: DaemonPhase
  let changes: ChangeSignal
  let health: @Sendable () -> DaemonHealth
  /// The status socket can be asked.
  let isListening: @Sendable () -> Bool

  /// Between two looks at the streams, where they change all the time: as long as these take little of it.
  private static let step = Duration.seconds(1)
  private static let stepsPerLook = 100
  /// Each look at an unfinished recovery asks systemd for this much more time.
  private static let recoveryExtension = Duration.seconds(60)

  func run() async throws {
    defer { stop() }
    await start()
    try await withThrowingTaskGroup { group in
      group.addTask { try await watch() }
      group.addTask { await passTime() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Looks at the streams after each change, and now and then.
  private func watch() async throws {
    while !Task.isCancelled {
      let began = clock.now
      status.sendIfDue(at: began)
      if let required = health().operatorActionRequired(at: began) { throw DaemonFailure(required) }
      let next = began + max(Self.step, began.duration(to: clock.now) * Self.stepsPerLook)
      await changes.wait()
      if clock.now < next { try? await clock.sleep(until: next) }
    }
  }

  private func passTime() async {
    var looks = 0
    while (try? await QuietTime.next()) != nil {
      changes.set()
      // After the start, and then every ten minutes.
      if looks % 60 == 0 { QuietTime.releaseMemory() }
      looks += 1
    }
  }

  /// Waits until the status socket is listened on and every stream has recovered, or reports why it can't yet, then
  /// reports `READY=1`. An unreachable Box shows in the status and doesn't fail the boot.
  private func start() async {
    var looks = 0
    while !Task.isCancelled, !(isListening() && health().isProven) {
      if looks % 100 == 0 { status.send(with: .extendTimeout(Self.recoveryExtension)) }
      looks += 1
      // A cancelled sleep ends the loop: asked to stop before it was ready, the daemon has not failed.
      try? await Task.sleep(for: .milliseconds(20))
    }
    guard !Task.isCancelled, phase.advance(to: .running) else { return }
    status.send(with: .ready)
  }

  /// Reports once that the daemon stops: as soon as it is asked to, while the streams still finish their work.
  func stop() {
    guard phase.advance(to: .stopping) else { return }
    status.send(with: .stopping)
    logger.log(level: .notice, "stopping", id: .stopping)
  }
}

/// Sends `STATUS=`, from the monitor and the reloads: none of them leaves an older text behind.
final class StatusReporter: Sendable {
  /// Sent when its substance changes, else only this often: it counts seconds.
  private static let interval = Duration.seconds(10)

  private let notifier: Notifier
  private let snapshot: @Sendable () -> DaemonSnapshot
  /// What the last look has found; nil where the next one sends whatever it finds.
  private let last = Mutex<(text: String, substance: [String], at: FeedInstant)?>(nil)

  init(_ notifier: Notifier, snapshot: @escaping @Sendable () -> DaemonSnapshot) {
    self.notifier = notifier
    self.snapshot = snapshot
  }

  /// Sends the status as it is now, in one message with the change that it goes with. What the change brings about
  /// follows with the next look.
  func send(with change: Notifier.Field) {
    last.withLock { last in
      notifier.send(change, .status(StatusLine.text(snapshot(), now: LocalTime.now)))
      last = nil
    }
  }

  /// Sends the status if it is time to, and it is another one.
  func sendIfDue(at now: FeedInstant) {
    last.withLock { last in
      let snapshot = snapshot()
      let substance = StatusLine.substance(snapshot)
      if let last, last.substance == substance, now < last.at + Self.interval { return }
      let text = StatusLine.text(snapshot, now: LocalTime.now)
      if text != last?.text { notifier.send(.status(text)) }
      last = (text, substance, now)
    }
  }
}

/// The daemon's phase, shared by its services.
final class DaemonPhase: Sendable {
  private let current = Mutex(DaemonSnapshot.Phase.starting)

  var value: DaemonSnapshot.Phase { current.withLock { $0 } }

  /// Goes on to a later phase, and never back: asked to stop while it starts, the daemon never becomes ready.
  /// - Returns: whether it was in an earlier one.
  func advance(to phase: DaemonSnapshot.Phase) -> Bool {
    current.withLock { current in
      guard current < phase else { return false }
      current = phase
      return true
    }
  }
}

/// The state of all streams together, for the watchdog and the rules of start and exit.
struct DaemonHealth {
  /// The watchdog waits this much longer than the deadline at which a stage ends by itself.
  static let grace = Duration.seconds(30)

  let telemetries: [StreamTelemetry]
  let patience: Duration

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

  /// Set when every stream has required operator action for as long as `patience`; the sign-in comes first.
  func operatorActionRequired(at now: FeedInstant) -> OperatorActionRequired? {
    let required = telemetries.compactMap(\.operatorActionRequired).filter { now >= $0.since + patience }
    guard !required.isEmpty, required.count == telemetries.count else { return nil }
    return (required.first { $0.reason.remedy == .signIn } ?? required.first)?.reason
  }

  /// Every stream has recovered, or reports why it can't yet: a full disk, or operator action required.
  var isProven: Bool {
    telemetries.allSatisfy { $0.hasRecovered || $0.isPaused || $0.operatorActionRequired != nil }
  }
}
