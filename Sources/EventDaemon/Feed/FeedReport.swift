import BoxEvents
import Logging

/// What a driver reports of its stream while it works: the driver's only view of metrics and journal.
///
/// The metrics are published once for each action, before it is done, and where a run begins and ends. Nothing here is
/// inlined into the driver: its async frames, which a polling stream holds all the time, would grow by half.
struct FeedReport: Sendable {
  private var metrics: StreamMetrics
  private var journal: StreamJournal
  private let telemetry: StreamTelemetry

  init(_ telemetry: StreamTelemetry, logger: Logger) {
    self.telemetry = telemetry
    metrics = StreamMetrics(name: telemetry.name)
    journal = StreamJournal(logger: logger, stream: telemetry.name, retention: telemetry.retention)
  }

  // MARK: A run

  @inline(never)
  mutating func recovering(until deadline: FeedInstant) { enter(.starting, deadline: deadline) }

  /// A full disk keeps the recovery from going on.
  @inline(never)
  mutating func paused(_ failure: StoreFailure, until deadline: FeedInstant) {
    journal.paused(failure)
    metrics.paused(failure)
    enter(.paused, deadline: deadline)
  }

  /// Published with the first action, and its deadline: the deadline of a long recovery is past.
  @inline(never)
  mutating func recovered(_ recovery: Recovery) {
    journal.recovered(recovery)
    metrics.recovered(recovery)
  }

  @inline(never)
  mutating func stopping(until deadline: FeedInstant) {
    metrics.deadline = deadline
    telemetry.publish(metrics)
  }

  @inline(never)
  mutating func stopped() { enter(.stopped, deadline: nil) }

  @inline(never)
  private mutating func enter(_ state: StreamState, deadline: FeedInstant?) {
    (metrics.snapshot.state, metrics.deadline) = (state, deadline)
    telemetry.publish(metrics)
  }

  // MARK: Actions

  /// The machine asks for another action.
  @inline(never)
  mutating func observe(_ machine: FeedStateMachine, at now: FeedInstant) {
    journal.observe(machine.condition, machine, at: now)
    metrics.observe(machine, at: now)
    telemetry.publish(metrics)
  }

  @inline(never)
  mutating func deduplicated(_ batch: EventBatch) {
    metrics.deduplicated(batch)
    journal.read()
  }

  @inline(never)
  mutating func committed(_ batch: EventBatch, _ committed: Committed, took: Duration) {
    metrics.committed(batch, committed, took: took)
    journal.committed(batch, committed)
  }

  /// New events of a lookback; counts those created more than 10 s before the stream was last caught up.
  @inline(never)
  mutating func lookbackFound(_ batch: EventBatch, caughtUpAt: BoxTime) {
    // Fresh events take a few seconds to appear; an event that takes longer is late. Both times are of Box's clock.
    let late = batch.new.count { index in
      guard let date = batch.creationDate(ofEvent: index) else { return false }
      return BoxTime(date).since(caughtUpAt) < .seconds(-10)
    }
    guard late > 0 else { return }
    metrics.found(late: late)
    journal.found(late: late)
  }

  @inline(never)
  mutating func recorded(_ gap: Gap) {
    metrics.recordedGap()
    journal.recorded(gap)
  }

  @inline(never)
  mutating func failed(_ failure: FeedFailure, at now: FeedInstant) { journal.failed(failure, at: now) }

  func unexpected(_ input: UnexpectedInput) { journal.unexpected(input) }
}
