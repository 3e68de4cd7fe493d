import BoxEvents
import Logging

/// What a driver reports of its stream while it works: the driver's only view of metrics and journal.
///
/// The driver's task owns this value. The metrics are published once for each action, before it is done, and where
/// a run begins and ends.
struct FeedReport: Sendable {
  private var metrics: StreamMetrics
  private var journal: StreamJournal
  private let telemetry: StreamTelemetry

  /// - Parameter telemetry: where the metrics are published.
  init(_ telemetry: StreamTelemetry, logger: Logger) {
    self.telemetry = telemetry
    metrics = StreamMetrics(name: telemetry.name)
    journal = StreamJournal(logger: logger, stream: telemetry.name, retention: telemetry.retention)
  }

  // MARK: A run

  mutating func recovering(until deadline: FeedInstant) { enter(.starting, deadline: deadline) }

  /// A full disk keeps the recovery from going on.
  mutating func paused(_ failure: StoreFailure, until deadline: FeedInstant) {
    journal.paused(failure)
    enter(.paused, deadline: deadline)
  }

  /// Published with the first action, and its deadline: the deadline of a long recovery is past.
  mutating func recovered(_ recovery: Recovery) {
    journal.recovered(recovery)
    metrics.recovered(recovery)
  }

  mutating func stopping(until deadline: FeedInstant) {
    metrics.deadline = deadline
    telemetry.publish(metrics)
  }

  mutating func stopped() { enter(.stopped, deadline: nil) }

  private mutating func enter(_ state: StreamState, deadline: FeedInstant?) {
    (metrics.snapshot.state, metrics.deadline) = (state, deadline)
    telemetry.publish(metrics)
  }

  // MARK: Actions

  /// The machine asks for another action.
  mutating func observe(_ machine: FeedStateMachine, at now: FeedInstant) {
    journal.observe(machine.condition, machine, at: now)
    metrics.observe(machine, at: now)
    telemetry.publish(metrics)
  }

  mutating func deduplicated(_ batch: EventBatch) {
    metrics.deduplicated(batch)
    journal.read(batch)
  }

  mutating func committed(_ batch: EventBatch, _ committed: Committed, took: Duration) {
    metrics.committed(batch, committed, took: took)
    journal.committed(committed)
  }

  /// New events of a lookback.
  mutating func lookbackFound(_ batch: EventBatch, caughtUpAt: BoxTime) {
    let late = batch.lateEvents(whenCaughtUpAt: caughtUpAt)
    guard late > 0 else { return }
    metrics.found(late: late)
    journal.found(late: late)
  }

  mutating func recorded(_ gap: Gap) {
    metrics.recordedGap()
    journal.recorded(gap)
  }

  mutating func failed(_ failure: FeedFailure) { journal.failed(failure) }

  func unexpected(_ input: UnexpectedInput) { journal.unexpected(input) }
}

extension EventBatch {
  /// Fresh events take a few seconds to appear; an event that takes longer is late.
  private static let usualDelay = Duration.seconds(10)

  /// How many of the new events had happened well before a moment when Box showed nothing more.
  /// - Parameter caughtUpAt: Box's time then; both times are of Box's clock.
  func lateEvents(whenCaughtUpAt caughtUpAt: BoxTime) -> Int {
    new.count { index in
      let createdAt = page.events[index].createdAt
      guard let date = UTCDate(rfc3339: page.bytes[createdAt]) else { return false }
      return BoxTime(date).since(caughtUpAt) < .zero - Self.usualDelay
    }
  }
}
