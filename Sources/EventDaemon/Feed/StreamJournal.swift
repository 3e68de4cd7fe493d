import BoxEvents
import Logging
import Systemd

/// What is logged of one stream: a line for each change of state, none for each event. A failure that goes on is
/// not repeated line by line, but summed up at every power of two.
struct StreamJournal: Sendable {
  private let logger: Logger
  private let retention: Duration
  private var condition: FeedCondition?
  private var pause: StoreFailure?
  private var failing: [FailureKind: Failing] = [:]
  private var hasReadSinceFailure = false
  /// Events committed since the start, until the stream is reported as caught up; then nil.
  private var backlog: Int? = 0
  private var warnedPercent = 0

  private struct FailureKind: Hashable {
    let code: FeedFailure.Code
    let isOfRealtime: Bool
  }

  /// What fails on and off is one problem: its end is forgotten if it returns within ten minutes.
  private struct Failing {
    var failures = 0
    /// A line has been logged whose end has not.
    var isReported = false
    var endedAt: FeedInstant?
  }

  init(logger: Logger, stream: String, retention: Duration) {
    var logger = logger
    logger[metadataKey: "stream"] = "\(stream)"
    self.logger = logger
    self.retention = retention
  }

  // MARK: Conditions

  mutating func observe(_ condition: FeedCondition, _ machine: FeedStateMachine, at now: FeedInstant) {
    let previous = self.condition
    self.condition = condition
    warnOfRetention(machine, at: now)
    // The machine has concluded it from what has not failed.
    if let problem = machine.problem, problem.isOfRealtime,
      !failing.contains(where: { $0.key.isOfRealtime && $0.value.endedAt == nil })
    {
      failed(problem, at: now)
    }
    guard previous != condition else { return }
    logger.debug("state changed", metadata: ["state": "\(StreamState(condition).rawValue)"])
    resume(condition)
    switch condition {
    case .paused(let failure): paused(failure)
    case .blocked(let failure) where failure.isOfSignIn: break
    case .blocked(let failure):
      logger.log(level: .error, "stream blocked", id: .streamBlocked, metadata: metadata(failure))
    case .stalled:
      logger.log(
        level: .warning, "stream stalled: Box serves a full page of known events again and again",
        id: .streamStalled, metadata: ["position": "\(machine.currentPosition)"])
    case .polling:
      if machine.problem == nil { reportEndOfFailures(ofRealtime: true, at: now) }
      reportCaughtUp(machine.currentPosition)
    case .waiting where hasReadSinceFailure: reportEndOfFailures(ofRealtime: false, at: now)
    case .reading, .waiting: break
    }
  }

  /// A full disk, or a directory that was moved away, keeps the stream from going on; logged once, until it goes on.
  mutating func paused(_ failure: StoreFailure) {
    guard pause == nil else { return }
    pause = failure
    logger.log(
      level: .error,
      failure.isOfRoot ? "stream paused: its directory was moved" : "stream paused: the disk is full",
      id: .paused, metadata: [:].explaining(failure))
  }

  private mutating func resume(_ condition: FeedCondition) {
    switch condition {
    // A read begins with the check for free space, so `reading` doesn't show yet that there is any; the next
    // state does.
    case .reading, .paused: return
    case .polling, .waiting, .stalled, .blocked: break
    }
    guard let pause else { return }
    self.pause = nil
    logger.log(
      level: .notice,
      pause.isOfRoot
        ? "stream resumed: its directory is there again" : "stream resumed: the disk has free space again",
      id: .resumed)
  }

  private mutating func reportCaughtUp(_ position: ReadPosition) {
    guard let events = backlog else { return }
    backlog = nil
    logger.log(
      level: .notice, "caught up", id: .caughtUp,
      metadata: ["events": "\(events)", "position": "\(position)"])
  }

  /// Warns once each at 50, 80 and 95 % of the time Box keeps events.
  private mutating func warnOfRetention(_ machine: FeedStateMachine, at now: FeedInstant) {
    let percent = machine.positionAge(at: now).map { Int($0 / retention * 100) } ?? 0
    let reached = [95, 80, 50].first { percent >= $0 } ?? 0
    defer { warnedPercent = reached }
    guard reached > warnedPercent else { return }
    logger.log(
      level: .warning, "Box will soon drop events that are not read yet", id: .retentionWarning,
      metadata: [
        "detail": "the position is older than \(reached) % of the time Box keeps events",
        "position": "\(machine.currentPosition)",
      ])
  }

  // MARK: Failures

  mutating func failed(_ failure: FeedFailure, at now: FeedInstant) {
    guard failure.code != .cancelled else { return }
    if !failure.isOfRealtime { hasReadSinceFailure = false }
    let kind = FailureKind(code: failure.code, isOfRealtime: failure.isOfRealtime)
    var current = failing[kind] ?? Failing()
    if let endedAt = current.endedAt, now >= endedAt + .seconds(600) { current = Failing() }
    current.failures += 1
    current.endedAt = nil
    // Sign-ins are logged once for all streams of an account.
    let isLogged = !failure.isOfSignIn && current.failures.isPowerOfTwo
    current.isReported = current.isReported || isLogged
    failing[kind] = current
    var metadata = metadata(failure)
    guard isLogged else {
      logger.debug("still failing", metadata: metadata)
      return
    }
    if current.failures > 1 { metadata["times"] = "\(current.failures)" }
    let (sentence, id): (Logger.Message, MessageID) =
      switch failure.code {
      case .realtimeRefused: ("realtime server refused", .realtimeRefused)
      case .unreachable, .throttled, .serverError, .unauthorized, .forbidden, .refused, .unreadable,
        .malformedPage, .tooLarge, .cancelled, .signInRefused, .signInFailed:
        failure.isOfRealtime
          ? ("no realtime notifications; the stream is read at intervals meanwhile", .boxUnreachable)
          : ("cannot get events", .boxUnreachable)
      }
    logger.log(level: .warning, sentence, id: id, metadata: metadata)
  }

  /// Ends the problems of reads, or also those of realtime.
  private mutating func reportEndOfFailures(ofRealtime: Bool, at now: FeedInstant) {
    for isOfRealtime in ofRealtime ? [false, true] : [false] {
      var failures = 0
      for (kind, current) in failing where kind.isOfRealtime == isOfRealtime && current.endedAt == nil {
        if current.isReported { failures += current.failures }
        failing[kind]?.endedAt = now
        failing[kind]?.isReported = false
      }
      guard failures > 0 else { continue }
      let sentence: Logger.Message =
        isOfRealtime ? "getting realtime notifications again" : "getting events again"
      logger.log(level: .notice, sentence, id: .boxBack, metadata: ["failures": "\(failures)"])
    }
  }

  func unexpected(_ input: UnexpectedInput) {
    logger.error("unexpected error; please report it", metadata: ["detail": "\(input)"])
  }

  private func metadata(_ failure: FeedFailure) -> Logger.Metadata {
    var metadata: Logger.Metadata = [:].explaining(failure)
    metadata["status"] = failure.status.map { "\($0)" }
    metadata["request_id"] = failure.requestID.map { "\($0)" }
    return metadata
  }

  // MARK: The store

  func recovered(_ recovery: Recovery) {
    for note in recovery.notes { logger.notice("repaired the spool", metadata: ["detail": "\(note)"]) }
    if recovery.rebuilt {
      logger.log(
        level: .warning, "position rebuilt from the spool", id: .positionRebuilt,
        metadata: ["position": "\(recovery.checkpoint?.position.description ?? "none")"])
    }
    for gap in recovery.gaps { recorded(gap) }
  }

  /// A page has been read.
  mutating func read() { hasReadSinceFailure = true }

  mutating func committed(_ batch: EventBatch, _ committed: Committed) {
    backlog? += committed.events
    for gap in committed.gaps { recorded(gap) }
    // One line for a page: all of its entries may be broken.
    guard let first = batch.newRejects.first else { return }
    let reject = batch.page.rejects[first]
    var metadata: Logger.Metadata = ["reason": "\(reject.reason)", "bytes": "\(reject.range.count)"]
    if batch.newRejects.count > 1 { metadata["entries"] = "\(batch.newRejects.count)" }
    logger.log(level: .warning, "entry quarantined", id: .quarantined, metadata: metadata)
  }

  func found(late: Int) {
    logger.notice("a lookback found events that Box had shown late", metadata: ["events": "\(late)"])
  }

  func recorded(_ gap: Gap) {
    logger.log(
      level: .error, "events may be missing: a gap was recorded", id: .gap,
      metadata: [
        "detail": "\(gap.cause.rawValue)", "from": .string(gap.from?.description ?? "unknown"),
        "to": .string(gap.to?.description ?? "unknown"),
      ])
  }
}

extension FeedFailure {
  /// ``SignInLog`` logs it, once for all streams with the same tokens.
  fileprivate var isOfSignIn: Bool { code == .signInRefused || code == .signInFailed }
}

extension Int {
  /// 1, 2, 4, 8 and so on: the repetitions of a failure that are logged.
  var isPowerOfTwo: Bool { nonzeroBitCount == 1 }
}

extension Logger.Metadata {
  /// With what happened as `detail`, and what to do as `hint`.
  func explaining(_ error: some ExplainedError) -> Logger.Metadata {
    var metadata = self
    metadata["detail"] = .string(error.message)
    metadata["hint"] = error.hint.map { .string($0) }
    return metadata
  }
}
