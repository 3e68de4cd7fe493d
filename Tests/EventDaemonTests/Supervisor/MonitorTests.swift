import Logging
import Synchronization
import Testing

@testable import EventDaemon
@testable import Systemd

@Suite struct MonitorTests {
  /// `systemctl start` must not succeed where the daemon then ends, because it can't listen on its socket.
  @Test func isReadyOnlyWhenTheSocketIsListenedOn() async throws {
    let looks = Mutex(0)
    let looksBeforeReady = Mutex<Int?>(nil)
    let reporter = StatusReporter(
      Notifier { fields in
        if fields.contains(.ready) { looksBeforeReady.withLock { $0 = looks.withLock { $0 } } }
      },
      snapshot: { Snapshots.daemon([]) })
    let monitor = Monitor(
      status: reporter, logger: RecordedLog().logger, clock: MonotonicFeedClock(), phase: DaemonPhase(),
      changes: ChangeSignal(),
      health: { DaemonHealth(telemetries: [], patience: .seconds(3600)) },
      isListening: {
        looks.withLock {
          $0 += 1
          return $0 > 3
        }
      })
    let run = Task { try await monitor.run() }
    while looksBeforeReady.withLock({ $0 == nil }), !Task.isCancelled { await Task.yield() }
    run.cancel()
    try await run.value
    #expect(looksBeforeReady.withLock { $0 } == 4)
  }
}
