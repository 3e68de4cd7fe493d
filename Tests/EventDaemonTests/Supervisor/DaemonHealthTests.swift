import BoxEvents
import Systemd
import Testing

@testable import EventDaemon

/// When the watchdog is pinged, when the daemon is ready, and when it ends: by all streams, not by one.
@Suite struct DaemonHealthTests {
  private let streams = ["a", "b", "c"].map { StreamTelemetry(name: $0, retention: .seconds(1)) }
  private var health: DaemonHealth { DaemonHealth(telemetries: streams, patience: .seconds(3600)) }

  private func at(_ seconds: Double) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }

  private func enter(_ state: StreamState, _ stream: StreamTelemetry, deadline: FeedInstant?) {
    var metrics = StreamMetrics(name: stream.name)
    metrics.snapshot.state = state
    metrics.deadline = deadline
    stream.publish(metrics)
  }

  private let data = OperatorActionRequired(StoreFailure(.blocked, "another feed"))
  private let signIn = OperatorActionRequired(FeedFailure(.signInRefused, "dead"))

  @Test func theWatchdogChecks30SecondsAfterTheDeadline() {
    for stream in streams { enter(.polling, stream, deadline: at(100)) }
    #expect(health.watchdog(at: at(99)) == .healthy)
    #expect(health.watchdog(at: at(130)) == .healthy)
    guard case .overdue(let reason) = health.watchdog(at: at(131)) else {
      Issue.record("healthy")
      return
    }
    #expect(reason == "stream a is 31 s past the deadline of its stage (polling)")
  }

  @Test func oneStuckStreamIsOverdue() {
    for stream in streams { enter(.polling, stream, deadline: at(1000)) }
    enter(.reading, streams[2], deadline: at(100))
    #expect(health.watchdog(at: at(500)) != .healthy)
    enter(.blocked, streams[2], deadline: nil)
    #expect(health.watchdog(at: at(500)) == .healthy)
  }

  @Test func isReadyWhenEveryStreamHasRecoveredOrReportsWhyNot() {
    #expect(!health.isProven)
    var recovered = StreamMetrics(name: "a")
    recovered.recovered(Recovery(checkpoint: nil, ordinal: 0))
    streams[0].publish(recovered)
    #expect(!health.isProven)
    enter(.paused, streams[1], deadline: at(10))
    #expect(!health.isProven)
    streams[2].block(data, at: at(0))
    #expect(health.isProven)
  }

  @Test func endsOnlyWhenEveryStreamRequiresOperatorAction() {
    #expect(health.operatorActionRequired(at: at(9999)) == nil)
    streams[0].block(data, at: at(0))
    streams[1].block(signIn, at: at(10))
    #expect(health.operatorActionRequired(at: at(9999)) == nil)
    streams[2].block(data, at: at(50))
    // A stream that is tried again has required it all the same.
    streams[2].block(data, at: at(900))
    #expect(health.operatorActionRequired(at: at(3649)) == nil)
    // Signing in comes first: nothing else can be fixed without it.
    #expect(health.operatorActionRequired(at: at(3650)) == signIn)
    let none = DaemonHealth(telemetries: [], patience: .zero)
    #expect(none.operatorActionRequired(at: at(9999)) == nil)
  }

  @Test func everyFailureHasItsExitStatus() {
    #expect(DaemonFailure(data).exit == .data)
    #expect(DaemonFailure(signIn).exit == .signIn)
    let exits: [(StoreFailure.Code, EventDaemon.ExitStatus)] = [
      (.noSpace, .io), (.io, .io), (.blocked, .data), (.locked, .alreadyRunning), (.refused, .configuration),
      (.misuse, .software),
    ]
    for (code, exit) in exits {
      let failure = DaemonFailure(StoreFailure(code, "x", hint: "y", errno: 5))
      #expect(failure.exit == exit)
      #expect(failure.errno == 5 && failure.message == "x" && failure.hint == "y")
    }
    #expect(exits.count == StoreFailure.Code.allCases.count)
  }

  @Test func exitStatusesAreThoseOfSysexits() {
    #expect(
      EventDaemon.ExitStatus.allCases.map(\.rawValue) == [0, 64, 65, 69, 70, 74, 75, 77, 78])
    #expect(
      EventDaemon.ExitStatus.signIn.rawValue == 77 && EventDaemon.ExitStatus.data.rawValue == 65
        && EventDaemon.ExitStatus.io.rawValue == 74)
    #expect(
      EventDaemon.ExitStatus.configuration.rawValue == 78
        && EventDaemon.ExitStatus.alreadyRunning.rawValue == 75)
  }
}
