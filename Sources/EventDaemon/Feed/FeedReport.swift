import BoxEvents
import Logging
import Systemd

/// What a driver says of its stream while it works: to the metrics, and to the journal.
struct FeedReport: Sendable {
  let telemetry: StreamTelemetry
  let journal: StreamJournal
  let retention: Duration

  func recovering(until deadline: FeedInstant) {
    telemetry.enter(.starting, deadline: deadline)
  }

  /// There is no room to go on.
  /// - Parameter failure: of a call; nil where less than `keep_free` is left.
  func diskFull(_ failure: StoreFailure?) {
    let shortage = failure?.message ?? StreamJournal.reserveUsed
    telemetry.noted(shortage: shortage)
    journal.noted(shortage: shortage)
  }

  func paused(_ failure: StoreFailure, until deadline: FeedInstant) {
    diskFull(failure)
    telemetry.enter(.paused, deadline: deadline)
    journal.pause()
  }

  func recovered(_ recovery: Recovery) {
    telemetry.recovered(recovery)
    journal.recovered(recovery)
  }

  func observe(_ machine: FeedStateMachine, at now: FeedInstant) {
    let condition = machine.condition
    telemetry.observe(machine, condition, at: now)
    journal.observe(condition, machine, at: now, retention: retention)
  }

  func deduplicated(_ batch: EventBatch) {
    telemetry.deduplicated(batch)
    journal.quarantining(batch)
  }

  func committed(_ batch: EventBatch, _ committed: Committed, took: Duration) {
    telemetry.committed(batch, committed, took: took)
    journal.committed(committed)
  }

  /// New events of a lookback.
  func lookbackFound(_ batch: EventBatch, caughtUpAt: BoxTime) {
    let late = batch.lateEvents(whenCaughtUpAt: caughtUpAt)
    guard late > 0 else { return }
    telemetry.found(late: late)
    journal.found(late: late)
  }

  func recorded(_ gap: Gap) {
    telemetry.recordedGap()
    journal.recorded(gap)
  }

  func failed(_ failure: FeedFailure) {
    journal.failed(failure)
  }

  func stopping(until deadline: FeedInstant) {
    telemetry.setDeadline(deadline)
  }

  func stopped() {
    telemetry.enter(.stopped, deadline: nil)
  }
}
