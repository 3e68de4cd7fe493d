import BoxEvents
import Logging
import Spool
import Synchronization

@testable import EventDaemon
@testable import Systemd

/// Sees what a stream says and saves while it runs.
final class AnswerObserver: Sendable {
  struct Testimony: Sendable {
    /// What the position file says.
    var saved: String?
    /// What the status says is wrong.
    var error: String?
    /// The last wait since the start, and how the stream was meanwhile.
    var wait: (length: Duration, state: StreamState)?
  }

  let clock = ManualClock()
  let telemetry = StreamTelemetry(name: "default", retention: .seconds(21 * 86_400))
  private let location: StreamSpool.Location
  private let state = Mutex((wait: Testimony().wait, lines: [String]()))

  init(_ location: StreamSpool.Location) {
    self.location = location
  }

  /// Everything the journal was told, as lines.
  var lines: [String] { state.withLock { $0.lines } }

  func testify() -> Testimony {
    let saved = try? StoppedStream(location, bootID: "boot").position()
    return Testimony(
      saved: saved?.position.description, error: telemetry.snapshot(at: clock.now).error,
      wait: state.withLock { $0.wait })
  }

  /// Until the present stage's deadline.
  func timeLeft() -> Duration? { telemetry.overrun(at: clock.now).map { .zero - $0 } }

  var report: FeedReport {
    let logger = Logger(label: "test") { _ in ObserverHandler(observer: self) }
    return FeedReport(
      telemetry: telemetry, journal: StreamJournal(logger: logger, stream: "default"),
      retention: .seconds(21 * 86_400))
  }

  fileprivate func heard(_ line: String) { state.withLock { $0.lines.append(line) } }

  fileprivate func sees(wait: Duration) {
    let present = telemetry.snapshot(at: clock.now).state
    state.withLock { $0.wait = (wait, present) }
  }
}

/// The manual clock, watched.
struct ObservedClock: FeedClock {
  let observer: AnswerObserver

  var now: FeedInstant { observer.clock.now }

  func sleep(until instant: FeedInstant) async throws {
    observer.sees(wait: now.duration(to: instant))
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
    observer.heard(LogText(event.message, metadata: all).description)
  }
}
