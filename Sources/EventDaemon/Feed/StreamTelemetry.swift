import BoxEvents
import FoundationEssentials
import Synchronization

/// The metrics of one stream: written by its driver, read by the status server and the watchdog.
final class StreamTelemetry: Sendable {
  private struct Metrics {
    var snapshot: StreamSnapshot
    var deadline: FeedInstant?
    /// The position's age, and when it was checked.
    var age: (Duration, at: FeedInstant)?
    var operatorActionRequired: OperatorActionRequired?
    var hasRecovered = false
    /// Where there is no room, for people.
    var shortage = StreamJournal.reserveUsed
  }

  private let metrics: Mutex<Metrics>
  private let retention: Duration

  init(name: String, retention: Duration) {
    self.retention = retention
    metrics = Mutex(Metrics(snapshot: StreamSnapshot(name: name, state: .starting)))
  }

  // MARK: Reading

  /// The stream as it is at `now`.
  func snapshot(at now: FeedInstant) -> StreamSnapshot {
    metrics.withLock { metrics in
      var snapshot = metrics.snapshot
      snapshot.isTimely = metrics.deadline.map { now <= $0 } ?? true
      if let (age, at) = metrics.age {
        let present = max(.zero, age + at.duration(to: now))
        snapshot.positionAge = present
        snapshot.retentionLeft = retention - present
      }
      return snapshot
    }
  }

  /// How far past its deadline the present stage is; negative while there is time left.
  func overrun(at now: FeedInstant) -> Duration? {
    metrics.withLock { $0.deadline.map { $0.duration(to: now) } }
  }

  /// Set when trying again no longer helps.
  var operatorActionRequired: OperatorActionRequired? { metrics.withLock { $0.operatorActionRequired } }

  /// The store has proven its state and spool.
  var hasRecovered: Bool { metrics.withLock { $0.hasRecovered } }

  var isPaused: Bool { metrics.withLock { $0.snapshot.state == .paused } }

  // MARK: Writing

  func enter(_ state: StreamState, deadline: FeedInstant?) {
    metrics.withLock {
      $0.snapshot.state = state
      $0.deadline = deadline
    }
  }

  func setDeadline(_ deadline: FeedInstant?) {
    metrics.withLock { $0.deadline = deadline }
  }

  func noted(shortage: String) {
    metrics.withLock { $0.shortage = shortage }
  }

  func recovered(_ recovery: Recovery) {
    metrics.withLock {
      $0.hasRecovered = true
      $0.snapshot.eventsTotal = recovery.ordinal
      $0.snapshot.gapsTotal = UInt64(recovery.recordedGaps)
      $0.snapshot.position = recovery.checkpoint.map(\.position.description)
    }
  }

  func observe(_ machine: FeedStateMachine, _ condition: FeedCondition, at now: FeedInstant) {
    let problem = machine.problem
    let age = machine.positionAge(at: now)
    metrics.withLock {
      $0.snapshot.state = StreamState(condition)
      $0.snapshot.error = Self.error(condition, problem, $0.shortage)
      $0.snapshot.position = machine.currentPosition.description
      $0.snapshot.lookbacksTotal = UInt64(machine.lookbacks)
      $0.deadline = machine.deadline
      $0.age = age.map { ($0, at: now) }
      $0.operatorActionRequired = machine.operatorActionRequired.map(OperatorActionRequired.init)
    }
  }

  func deduplicated(_ batch: EventBatch) {
    metrics.withLock { $0.snapshot.duplicatesTotal += UInt64(batch.duplicates) }
  }

  func committed(_ batch: EventBatch, _ committed: Committed, took: Duration) {
    let now = LocalTime.now
    let delay = batch.new.last.flatMap { createdAt(of: batch.page.events[$0], in: batch.page) }.map {
      now - $0
    }
    metrics.withLock {
      $0.snapshot.eventsTotal = committed.ordinal
      $0.snapshot.bytesTotal += UInt64(committed.bytes)
      $0.snapshot.quarantinedTotal += UInt64(batch.newRejects.count)
      $0.snapshot.gapsTotal += UInt64(committed.gaps.count)
      $0.snapshot.commitSeconds.record(took)
      $0.snapshot.lastCommitAt = now
      if committed.events > 0 { $0.snapshot.lastEventAt = now }
      if let delay { $0.snapshot.deliveryDelaySeconds.record(max(0, delay)) }
    }
  }

  /// An lookback has found events that Box had not shown in time.
  func found(late: Int) {
    metrics.withLock { $0.snapshot.lateTotal += UInt64(late) }
  }

  func recordedGap() {
    metrics.withLock { $0.snapshot.gapsTotal += 1 }
  }

  /// A call to Box has ended.
  func requested(endpoint: String, code: String, took: Duration) {
    metrics.withLock {
      $0.snapshot.requests[.init(endpoint: endpoint, code: code), default: 0] += 1
      $0.snapshot.requestSeconds.record(took)
    }
  }

  /// The stream has ended for good, until a person acts.
  func block(_ reason: OperatorActionRequired) {
    metrics.withLock {
      $0.snapshot.state = .blocked
      $0.snapshot.error = reason.explanation
      $0.deadline = nil
      $0.operatorActionRequired = reason
    }
  }

  private func createdAt(of event: EventPage.Event, in page: EventPage) -> Double? {
    UTCDate(rfc3339: page.bytes[event.createdAt]).map { Double($0.secondsSince1970) }
  }

  private static func error(
    _ condition: FeedCondition, _ problem: FeedFailure?, _ shortage: String
  ) -> String? {
    switch condition {
    case .stalled: "Box serves a full page of known events again and again; reading goes on at intervals"
    case .paused: "the disk has too little room (\(shortage)); free some space, nothing is lost meanwhile"
    case .blocked(let failure): failure.explanation
    case .reading, .polling, .waiting: problem?.explanation
    }
  }
}

/// Why a stream goes on only when a person acts.
struct OperatorActionRequired: ExplainedError, Hashable, Sendable {
  enum Remedy: Hashable, Sendable {
    /// Sign in again.
    case signIn
    /// Look at the stream's position or state.
    case data
  }

  var remedy: Remedy
  /// What is wrong.
  var message: String
  /// What to do.
  var hint: String?

  init(_ failure: FeedFailure) {
    remedy = failure.code == .signInRefused ? .signIn : .data
    message = failure.message
    hint = failure.hint
  }

  init(_ failure: StoreFailure) {
    remedy = .data
    message = failure.message
    hint = failure.hint
  }
}

extension StreamState {
  init(_ condition: FeedCondition) {
    switch condition {
    case .reading: self = .reading
    case .polling: self = .polling
    case .waiting: self = .waiting
    case .stalled: self = .stalled
    case .paused: self = .paused
    case .blocked: self = .blocked
    }
  }
}

/// The local wall clock: for people and file names of moments, never for the feed's rules.
enum LocalTime {
  /// Seconds since 1970.
  static var now: Double { Date().timeIntervalSince1970 }
}
