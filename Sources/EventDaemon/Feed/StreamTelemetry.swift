import BoxClient
import BoxEvents
import FoundationEssentials
import Synchronization

/// One stream as the status server, the metrics and the watchdog see it: what its driver has published last.
final class StreamTelemetry: Sendable {
  private struct Published {
    /// Written by the driver, and by the supervisor after the driver's end.
    var metrics: StreamMetrics
    /// Written by the source.
    var requests: [StreamSnapshot.RequestKey: UInt64] = [:]
    var requestSeconds = Histogram()
  }

  let name: String
  /// How long Box keeps the stream's events.
  let retention: Duration
  private let published: Mutex<Published>
  private let changes: ChangeSignal?

  /// - Parameter changes: what is set at each change of the stream's state.
  init(name: String, retention: Duration, changes: ChangeSignal? = nil) {
    self.name = name
    self.changes = changes
    self.retention = retention
    published = Mutex(Published(metrics: StreamMetrics(name: name)))
  }

  // MARK: Reading

  /// The stream as it is at `now`.
  func snapshot(at now: FeedInstant) -> StreamSnapshot {
    let published = published.withLock { $0 }
    var snapshot = published.metrics.snapshot
    snapshot.requests = published.requests
    snapshot.requestSeconds = published.requestSeconds
    if let end = published.metrics.errorEnd, now >= end { snapshot.error = nil }
    if let since = published.metrics.storeCalledAt, now >= since + .seconds(10) {
      snapshot.error = snapshot.error ?? StreamMetrics.slowDisk(since.duration(to: now))
    }
    if let attempt = published.metrics.nextAttempt, snapshot.error != nil {
      snapshot.nextAttempt = max(.zero, now.duration(to: attempt))
    }
    if let since = published.metrics.requestedAt, snapshot.state == .reading, now >= since + .seconds(60) {
      snapshot.answerAwaited = since.duration(to: now)
    }
    snapshot.isTimely = published.metrics.deadline.map { now <= $0 } ?? true
    if let (age, at) = published.metrics.age {
      let present = max(.zero, age + at.duration(to: now))
      snapshot.positionAge = present
      snapshot.retentionLeft = retention - present
    } else if let began = published.metrics.beganAt {
      snapshot.positionAge = max(.zero, began.duration(to: now))
    }
    return snapshot
  }

  private var metrics: StreamMetrics { published.withLock { $0.metrics } }

  /// How far past its deadline the present stage is; negative while there is time left.
  func overrun(at now: FeedInstant) -> Duration? { metrics.deadline?.duration(to: now) }

  /// Set when only an operator seems to help, and since when.
  var operatorActionRequired: (reason: OperatorActionRequired, since: FeedInstant)? {
    metrics.operatorActionRequired
  }

  /// The store has proven its state and spool.
  var hasRecovered: Bool { metrics.snapshot.hasRecovered }

  var isPaused: Bool { metrics.snapshot.state == .paused }

  // MARK: Writing

  func publish(_ metrics: StreamMetrics) {
    published.withLock { $0.metrics = metrics }
    changes?.set()
  }

  /// A recovery makes progress, or a call waits for its turn, while the driver waits for its end.
  func setDeadline(_ deadline: FeedInstant) { published.withLock { $0.metrics.deadline = deadline } }

  /// The stages of a call to Box. While it waits for its turn, the deadline is moved, and no answer is awaited.
  /// - Parameter budget: how long a call may take.
  func observe(_ stage: CallStage, budget: Duration, at now: FeedInstant) {
    switch stage {
    case .queued(let rounds, let wait):
      setDeadline(now + budget * (rounds + 1) + wait)
      published.withLock { $0.metrics.requestedAt = nil }
    case .began:
      setDeadline(now + budget)
      published.withLock { $0.metrics.requestedAt = now }
    case .ended(let call): requested(call)
    }
  }

  func requested(_ call: FinishedCall) {
    published.withLock {
      $0.requests[.init(endpoint: call.endpoint, code: call.code), default: 0] += 1
      $0.requestSeconds.record(call.duration)
    }
  }

  /// The driver has ended; operator action is required.
  func block(_ reason: OperatorActionRequired, at now: FeedInstant) {
    published.withLock { $0.metrics.block(reason, at: now) }
    changes?.set()
  }
}

/// The metrics of one stream, counted by its driver.
struct StreamMetrics: Sendable {
  var snapshot: StreamSnapshot
  /// When the present stage must have ended; nil for one without an end.
  var deadline: FeedInstant?
  /// When the error is over although the driver has nothing else to report.
  private(set) var errorEnd: FeedInstant?
  /// Since when Box's answer is awaited.
  fileprivate(set) var requestedAt: FeedInstant?
  /// When the store was asked for what it does now.
  private(set) var storeCalledAt: FeedInstant?
  /// When the present wait ends.
  private(set) var nextAttempt: FeedInstant?
  /// Since when the driver asks for pages: the age of a stream that was never complete, or no one knows when.
  private(set) var beganAt: FeedInstant?
  /// The position's age, and when it was computed.
  private(set) var age: (Duration, at: FeedInstant)?
  private(set) var operatorActionRequired: (reason: OperatorActionRequired, since: FeedInstant)?

  init(name: String) { snapshot = StreamSnapshot(name: name, state: .starting) }

  mutating func recovered(_ recovery: Recovery) {
    snapshot.hasRecovered = true
    snapshot.eventsTotal = recovery.ordinal
    snapshot.gapsTotal = UInt64(recovery.recordedGaps)
    snapshot.position = recovery.checkpoint.map(\.position.description)
  }

  mutating func observe(_ machine: FeedStateMachine, at now: FeedInstant) {
    snapshot.state = StreamState(machine.condition)
    snapshot.error =
      switch machine.condition {
      case .reading, .polling, .waiting: machine.problem?.explanationOfStream
      case .stalled: Self.stalled
      case .paused(let failure): failure.explanation
      case .blocked(let failure): failure.explanation
      }
    snapshot.isErrorOfRealtime = machine.problem?.isOfRealtime ?? false
    snapshot.position = machine.currentPosition.description
    snapshot.lookbacksTotal = UInt64(machine.completedLookbacks)
    errorEnd = machine.problemEnd
    nextAttempt = machine.nextAttempt
    beganAt = beganAt ?? now
    requestedAt = machine.awaitsAnswer ? now : nil
    storeCalledAt = machine.awaitsStore ? now : nil
    // The store's calls queue behind those of other streams, and set their deadlines when they run.
    deadline = machine.awaitsStore ? nil : machine.deadline
    let present = machine.positionAge(at: now) ?? machine.continuousAt.flatMap(LocalTime.age)
    age = present.map { ($0, at: now) }
    operatorActionRequired = machine.operatorActionRequired.map {
      (OperatorActionRequired($0), operatorActionRequired?.since ?? now)
    }
  }

  fileprivate static func slowDisk(_ time: Duration) -> String {
    "the disk has not completed a write for \(time.components.seconds) s. Check the disk, and the kernel's log."
  }

  /// The recovery waits for space; the next observation ends it.
  mutating func paused(_ failure: StoreFailure) { snapshot.error = failure.explanation }

  private static let stalled =
    "Box serves a full page of known events again and again. Reading goes on at intervals. If it lasts, stop box-eventd "
    + "and run: box-eventd position set STREAM now. A gap is recorded."

  mutating func committed(_ batch: EventBatch, _ committed: Committed, took: Duration) {
    let now = LocalTime.now
    snapshot.eventsTotal = committed.ordinal
    snapshot.bytesTotal += UInt64(committed.bytes)
    snapshot.quarantinedTotal += UInt64(batch.newRejects.count)
    snapshot.gapsTotal += UInt64(committed.gaps.count)
    snapshot.commitSeconds.record(took)
    snapshot.lastCommitAt = now
    if committed.events > 0 { snapshot.lastEventAt = now }
    guard let last = batch.new.last, let createdAt = batch.creationDate(ofEvent: last) else { return }
    snapshot.deliveryDelaySeconds.record(max(0, now - Double(createdAt.secondsSince1970)))
  }

  mutating func deduplicated(_ batch: EventBatch) { snapshot.duplicatesTotal += UInt64(batch.duplicates) }

  /// A lookback has found events that Box had not shown in time.
  mutating func found(late: Int) { snapshot.lateTotal += UInt64(late) }

  mutating func recordedGap() { snapshot.gapsTotal += 1 }

  fileprivate mutating func block(_ reason: OperatorActionRequired, at now: FeedInstant) {
    snapshot.state = .blocked
    snapshot.error = reason.explanation
    (errorEnd, nextAttempt, deadline, storeCalledAt) = (nil, nil, nil, nil)
    operatorActionRequired = (reason, operatorActionRequired?.since ?? now)
  }
}

extension FeedFailure {
  /// What it means for the stream, and what to do: without realtime notifications, events are read all the same.
  fileprivate var explanationOfStream: String {
    guard isOfRealtime else { return explanation }
    var failure = self
    failure.message = "no realtime notifications (\(message)); the stream is read every minute meanwhile"
    return failure.explanation
  }
}

/// The local wall clock: for people and file names of moments, never for the feed's rules.
enum LocalTime {
  /// Seconds since 1970.
  static var now: Double { Date().timeIntervalSince1970 }

  /// How long ago a time of Box's was; nil for one still to come, which shows that the clock is wrong.
  static func age(of time: BoxTime) -> Duration? {
    let age = now - Double(time.secondsSince1970)
    return age >= 0 ? .seconds(age) : nil
  }
}
