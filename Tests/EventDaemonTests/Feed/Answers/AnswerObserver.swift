import BoxEvents
import Logging
import Spool
import Synchronization

@testable import EventDaemon
@testable import Systemd

/// Observes what a stream reports and saves while it runs.
final class AnswerObserver: Sendable {
  struct Observation: Sendable {
    /// The position in the position file.
    var saved: String?
    /// The status' error.
    var error: String?
    /// The last wait since the start, and the state of the stream meanwhile.
    var wait: (length: Duration, state: StreamState)?
  }

  let clock = ManualClock()
  let telemetry = StreamTelemetry(name: "default", retention: .seconds(21 * 86_400))
  private let location: StreamSpool.Location
  private let state = Mutex((wait: Observation().wait, lines: [String]()))

  init(_ location: StreamSpool.Location) {
    self.location = location
  }

  /// All log messages, as lines.
  var lines: [String] { state.withLock { $0.lines } }

  func observe() -> Observation {
    let saved = try? StoppedStream(location, bootID: "boot").position()
    return Observation(
      saved: saved?.position.description, error: telemetry.snapshot(at: clock.now).error,
      wait: state.withLock { $0.wait })
  }

  /// The time until the current stage's deadline.
  func timeLeft() -> Duration? { telemetry.overrun(at: clock.now).map { .zero - $0 } }

  var report: FeedReport {
    let logger = Logger(label: "test") { _ in ObserverHandler(observer: self) }
    return FeedReport(telemetry, logger: logger)
  }

  fileprivate func logged(_ line: String) { state.withLock { $0.lines.append(line) } }

  fileprivate func waited(_ wait: Duration) {
    let present = telemetry.snapshot(at: clock.now).state
    state.withLock { $0.wait = (wait, present) }
  }
}

/// The manual clock, whose waits the observer records.
struct ObservedClock: FeedClock {
  let observer: AnswerObserver

  var now: FeedInstant { observer.clock.now }

  func sleep(until instant: FeedInstant) async throws {
    observer.waited(now.duration(to: instant))
    try await observer.clock.sleep(until: instant)
  }
}

private struct ObserverHandler: LogHandler {
  let observer: AnswerObserver
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel = Logger.Level.debug

  init(observer: AnswerObserver) {
    self.observer = observer
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = SystemdLogHandler.merged(metadata, metadataProvider, event)
    observer.logged(LogText(event.message, metadata: all).description)
  }
}
