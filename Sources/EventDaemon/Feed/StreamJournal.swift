import BoxEvents
import Logging
import Synchronization
import Systemd

/// What the journal says of one stream: a line for each change of state, none for each event.
///
/// A failure that goes on is not repeated line by line, but summed up at every power of two.
final class StreamJournal: Sendable {
  private struct Memory {
    var condition: FeedCondition?
    var failures = 0
    var failing: FeedFailure.Code?
    /// Events committed since the start, until the stream is said to be caught up; then nil.
    var backlog: Int? = 0
    var warnedPercent = 0
    var isPaused = false
    /// Where there is no room, for people.
    var shortage = StreamJournal.reserveUsed
  }

  /// The shortage of a disk on which no call has failed yet.
  static let reserveUsed = "less than keep_free is left on the spool's disk"

  private let logger: Logger
  private let memory = Mutex(Memory())

  init(logger: Logger, stream: String) {
    var logger = logger
    logger[metadataKey: "stream"] = "\(stream)"
    self.logger = logger
  }

  func recovered(_ recovery: Recovery) {
    for note in recovery.notes {
      logger.notice("made the spool whole", metadata: ["detail": "\(note)"])
    }
    if recovery.rebuilt {
      logger.warning(
        "position rebuilt from the spool", id: .positionRebuilt,
        metadata: ["position": "\(recovery.checkpoint?.position.description ?? "none")"])
    }
    for gap in recovery.gaps { recorded(gap) }
  }

  /// There is no room; the pause that follows tells where.
  func noted(shortage: String) {
    memory.withLock { $0.shortage = shortage }
  }

  func observe(
    _ condition: FeedCondition, _ machine: FeedStateMachine, at now: FeedInstant, retention: Duration
  ) {
    let previous = memory.withLock { memory in
      defer { memory.condition = condition }
      return memory.condition
    }
    warnOfRetention(machine, at: now, retention: retention)
    guard previous != condition else { return }
    if case .paused = condition { pause() } else { resume(condition) }
    switch condition {
    case .blocked(let failure):
      logger.error("stream blocked", id: .streamBlocked, metadata: metadata(failure))
    case .stalled where previous != .stalled:
      logger.warning(
        "stream stalled: Box serves a full page of known events again and again", id: .streamStalled,
        metadata: ["position": "\(machine.currentPosition)"])
    case .polling:
      recover()
      catchUp(machine.currentPosition)
    case .reading, .waiting, .paused, .stalled:
      break
    }
  }

  func committed(_ committed: Committed) {
    memory.withLock { memory in
      if let backlog = memory.backlog { memory.backlog = backlog + committed.events }
    }
    for gap in committed.gaps { recorded(gap) }
  }

  func quarantining(_ batch: EventBatch) {
    for index in batch.newRejects {
      let reject = batch.page.rejects[index]
      logger.warning(
        "entry quarantined", id: .quarantined,
        metadata: ["reason": "\(reject.reason)", "bytes": "\(reject.range.count)"])
    }
  }

  func found(late: Int) {
    logger.notice("a lookback found events that Box had shown late", metadata: ["events": "\(late)"])
  }

  func recorded(_ gap: Gap) {
    logger.error(
      "events may be missing: a gap was recorded", id: .gap,
      metadata: [
        "detail": "\(gap.cause.rawValue)", "from": "\(gap.from?.description ?? "unknown")",
        "to": "\(gap.to?.description ?? "unknown")",
      ])
  }

  func failed(_ failure: FeedFailure) {
    guard failure.code != .cancelled else { return }
    let (count, isChange) = memory.withLock { memory in
      let isChange = memory.failing != failure.code
      memory.failing = failure.code
      memory.failures = isChange ? 1 : memory.failures + 1
      return (memory.failures, isChange)
    }
    guard isChange || count.nonzeroBitCount == 1 else {
      logger.debug("still failing", metadata: metadata(failure))
      return
    }
    var metadata = metadata(failure)
    if count > 1 { metadata["times"] = "\(count)" }
    switch failure.code {
    case .realtimeRefused:
      logger.warning("realtime server refused", id: .realtimeRefused, metadata: metadata)
    case .signInRefused, .signInFailed:
      logger.warning("cannot sign in", id: .signInRefused, metadata: metadata)
    case .unreachable, .throttled, .serverError, .unauthorized, .forbidden, .refused, .unreadable,
      .malformedPage, .tooLarge, .cancelled:
      logger.warning("cannot get events", id: .boxUnreachable, metadata: metadata)
    }
  }

  // MARK: Transitions

  /// A full disk keeps the stream from going on; said once, until it does.
  func pause() {
    let shortage = memory.withLock { memory in
      defer { memory.isPaused = true }
      return memory.isPaused ? nil : memory.shortage
    }
    guard let shortage else { return }
    logger.error(
      "stream paused: the disk has too little room", id: .paused,
      metadata: ["detail": "\(shortage)", "hint": "free some space; nothing is lost meanwhile"])
  }

  private func resume(_ condition: FeedCondition) {
    let wasPaused = memory.withLock { memory in
      // A look at the disk is no resumption; what follows a successful one is.
      guard memory.isPaused, condition != .reading else { return false }
      memory.isPaused = false
      return true
    }
    if wasPaused { logger.notice("stream resumed: the disk has room again", id: .resumed) }
  }

  private func recover() {
    let failures = memory.withLock { memory in
      defer { (memory.failures, memory.failing) = (0, nil) }
      return memory.failures
    }
    guard failures > 0 else { return }
    logger.notice("getting events again", id: .boxBack, metadata: ["failures": "\(failures)"])
  }

  private func catchUp(_ position: ReadPosition) {
    let events = memory.withLock { memory in
      defer { memory.backlog = nil }
      return memory.backlog
    }
    guard let events else { return }
    logger.notice(
      "caught up", id: .caughtUp, metadata: ["events": "\(events)", "position": "\(position)"])
  }

  /// Warns once each at 50, 80 and 95 % of the time Box keeps events.
  private func warnOfRetention(_ machine: FeedStateMachine, at now: FeedInstant, retention: Duration) {
    let percent = machine.positionAge(at: now).map { Int($0 / retention * 100) } ?? 0
    let checkpoint = [95, 80, 50].first { percent >= $0 } ?? 0
    let isNew = memory.withLock { memory in
      defer { memory.warnedPercent = checkpoint }
      return checkpoint > memory.warnedPercent
    }
    guard isNew else { return }
    logger.warning(
      "Box will soon drop events that are not read yet", id: .retentionWarning,
      metadata: [
        "detail": "the position is older than \(checkpoint) % of the time Box keeps events",
        "position": "\(machine.currentPosition)",
      ])
  }

  private func metadata(_ failure: FeedFailure) -> Logger.Metadata {
    var metadata: Logger.Metadata = ["detail": "\(failure.message)"]
    if let hint = failure.hint { metadata["hint"] = "\(hint)" }
    if let status = failure.status { metadata["status"] = "\(status)" }
    if let requestID = failure.requestID { metadata["request_id"] = "\(requestID)" }
    return metadata
  }
}
