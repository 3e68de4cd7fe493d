/// The rules of one Box event stream: what to do after everything that can happen.
///
/// A value without I/O or clock. The driver does the action it is given and reports what came of it
/// by one call, which returns the next action:
///
///     drain ──▶ subscribe ──▶ poll ──▶ drain ──▶ poll or subscribe …
///
/// A call that doesn't belong to the present state changes nothing and returns the action the
/// machine still waits for.
///
/// Sources: Box's guide to user events and the observations in the public threads it leaves out; the
/// README's "How the feed is read" lists them.
package struct FeedStateMachine: Sendable {
  enum State: Hashable, Sendable {
    /// Nothing has been asked yet.
    /// Can transition to: reading.
    case initial
    /// One page is being read.
    /// Can transition to: beginning (the first position), recording (a gap is found), committing (new
    /// events), reading, saving, subscribing, polling (caught up), waiting.
    case reading(ReadRequest)
    /// The first position of a new stream is being recorded.
    /// Can transition to: reading, waiting.
    case beginning(Checkpoint)
    /// A break in continuity is being recorded; the page that showed it waits.
    /// Can transition to: whatever the page leads to from `reading`.
    case recording(Gap, PageOutcome, ReadRequest)
    /// New events are being made durable, and the position behind them.
    /// Can transition to: reading, waiting.
    case committing(Checkpoint)
    /// The stream is caught up, and its position is due to be saved.
    /// Can transition to: subscribing, polling, waiting, reading (a lookback).
    case saving(Checkpoint)
    /// A realtime server is being asked for.
    /// Can transition to: polling, reading, waiting.
    case subscribing
    /// A long poll is under way, since the instant.
    /// Can transition to: reading, waiting.
    case polling(RealtimeServer, since: FeedInstant)
    /// Nothing is under way until the instant.
    /// Can transition to: whatever comes after it.
    case waiting(until: FeedInstant, then: Intention)
  }

  /// What a wait is for.
  indirect enum Intention: Hashable, Sendable {
    case read
    /// The stream is caught up: go on to a realtime server, or read again if none is due.
    case listen
    /// Do what had no room.
    case again(State)
  }

  /// A realtime server in use.
  struct Subscription: Hashable, Sendable {
    var server: RealtimeServer
    var since: FeedInstant
    var polls = 0
  }

  let rules: FeedRules
  var jitter: Jitter
  var state = State.initial
  /// When the present stage must have ended, by its own limits.
  package internal(set) var deadline: FeedInstant

  // MARK: Where the stream is

  /// What the next read starts from.
  var position: ReadPosition = .oldest
  /// Box's time when the stream was last seen caught up.
  var confirmedAt: BoxTime?
  /// Box's last known time, and when it was heard.
  var boxTime: (date: BoxTime, at: FeedInstant)?
  /// Box's time of the first answer, or of the one that the last gap was recorded for.
  var readSince: BoxTime?
  /// What the store has, and since when.
  var saved: (checkpoint: Checkpoint?, at: FeedInstant)

  // MARK: Reading

  /// Positions asked for since the last new event: an answer that leads back to one of them is caught up.
  var asked: Set<ReadPosition> = []
  /// Reads in a row without a new event.
  var unproductive = 0
  /// Pages in a row without any, since the stream was last listened to.
  var emptyPages = 0
  var lastRead: FeedInstant?
  /// Index into `FeedRules.limits`.
  var limitIndex = 0
  var readBackoff = Backoff()
  /// Pages in a row that could not be read at the smallest limit.
  var unreadablePages = 0
  /// Refusals in a row.
  var refusals = 0
  var stalls = Backoff(cap: .seconds(60))

  // MARK: Looking back

  /// The lookback under way, from a stream that is caught up.
  var check: Lookback?
  /// Nil without lookback.
  var lookbackHistory: LookbackHistory?
  var lastCheck: FeedInstant
  /// How many have come to their end.
  package internal(set) var lookbacks = 0

  // MARK: Listening

  var subscription: Subscription?
  /// OPTIONS is not tried before.
  var subscribeNotBefore: FeedInstant?
  var realtimeBackoff = Backoff()
  /// Polls in a row that were answered soon and led to nothing.
  var emptyWakeUps = 0
  /// The wait between empty wake-ups is over.
  var hasWaited = false
  /// The last poll was answered soon, and nothing new has come since.
  var awaitsProof = false

  // MARK: What is wrong

  /// Why reads fail; nil when the last one succeeded.
  var readProblem: FeedFailure?
  /// Why there is no realtime server; nil when there is.
  var realtimeProblem: FeedFailure?
  var isStalled = false
  /// The problem lasts: a person must act.
  var isBlocked = false
  /// Attempts in a row since the problem counts as lasting.
  var blockedAttempts = 0

  /// - Parameters:
  ///   - now: the moment of creation.
  ///   - seed: of the jitter.
  package init(rules: FeedRules, at now: FeedInstant, seed: UInt64) {
    self.rules = rules
    self.jitter = Jitter(seed: seed)
    self.deadline = now + rules.requestBudget
    self.saved = (nil, now)
    self.lastCheck = now
    if let interval = rules.lookbackInterval {
      lookbackHistory = LookbackHistory(limit: rules.lookbackEvents, spacing: interval / 4)
    }
  }

  // MARK: Views

  /// The position to save when the stream stops; nil before there is one, or when it is saved.
  package var unsavedCheckpoint: Checkpoint? {
    saved.checkpoint == nil || position == .now || saved.checkpoint == checkpoint ? nil : checkpoint
  }

  /// Where the stream is.
  package var currentPosition: ReadPosition { position }

  /// During a lookback, Box's time when the stream was last seen caught up; nil at other times.
  package var lookbackCaughtUpAt: BoxTime? { check == nil ? nil : confirmedAt }

  var checkpoint: Checkpoint {
    Checkpoint(position: position, confirmedAt: confirmedAt, readSince: readSince)
  }

  /// How long ago, by Box's clock, the stream was last known to be complete.
  package func positionAge(at now: FeedInstant) -> Duration? {
    guard let continuousAt = checkpoint.continuousAt, let boxTime else { return nil }
    return max(.zero, boxTime.date.since(continuousAt) + boxTime.at.duration(to: now))
  }

  /// A lasting problem that only a person ends, and that trying again doesn't. A refused request is
  /// tried again for an hour before it counts: Box has had bad hours.
  package var operatorActionRequired: FeedFailure? {
    guard isBlocked, let readProblem else { return nil }
    switch readProblem.code {
    case .signInRefused:
      return readProblem
    case .refused, .malformedPage, .tooLarge:
      return blockedAttempts > rules.attemptsWhileBlocked ? readProblem : nil
    case .unreachable, .throttled, .serverError, .unauthorized, .forbidden, .unreadable, .realtimeRefused,
      .signInFailed, .cancelled:
      return nil
    }
  }

  /// What is wrong with the stream, also while it goes on in spite of it. A poll under way is proof
  /// enough that realtime works again.
  package var problem: FeedFailure? {
    if case .polling = state { return nil }
    return readProblem ?? realtimeProblem
  }

  package var condition: FeedCondition {
    if isBlocked, let readProblem { return .blocked(readProblem) }
    if isStalled { return .stalled }
    switch state {
    case .initial, .reading, .beginning, .recording, .committing, .saving, .subscribing: return .reading
    case .polling: return .polling
    case .waiting(_, then: .again): return .paused
    case .waiting(_, then: .read), .waiting(_, then: .listen): return .waiting(problem)
    }
  }

  /// The action of the present state.
  var action: FeedAction {
    switch state {
    case .initial: .wait(until: deadline)
    case .reading(let request): .read(request)
    case .beginning(let checkpoint): .begin(checkpoint)
    case .recording(let gap, _, _): .record(gap)
    case .committing(let checkpoint): .commit(checkpoint)
    case .saving(let checkpoint): .save(checkpoint)
    case .subscribing: .subscribe
    case .polling(let server, _): .poll(server, from: position)
    case .waiting(let until, _): .wait(until: until)
    }
  }

  // MARK: Inputs

  /// The store has said where to go on from, or the configuration where to begin.
  /// - Parameter saved: what the store holds already; nil on a first start.
  package mutating func start(
    from start: ReadPosition, saved checkpoint: Checkpoint?, at now: FeedInstant
  ) -> FeedAction {
    guard case .initial = state else { return action }
    position = start
    confirmedAt = checkpoint?.confirmedAt
    readSince = checkpoint?.readSince
    saved = (checkpoint, now)
    if checkpoint == nil, start != .now {
      return enter(.beginning(self.checkpoint), budget: rules.commitBudget, at: now)
    }
    if start != .now { lookbackHistory?.pass(start, new: 0, at: now) }
    return read(at: now)
  }

  /// The store has done what the last action asked of it.
  package mutating func stored(at now: FeedInstant) -> FeedAction {
    switch state {
    case .beginning(let checkpoint):
      saved = (checkpoint, now)
      position = checkpoint.position
      lookbackHistory?.pass(position, new: 0, at: now)
      return read(at: now)
    case .committing(let checkpoint):
      saved = (checkpoint, now)
      position = checkpoint.position
      return check == nil ? read(at: now) : continueLookback(at: now)
    case .recording(_, let outcome, let request):
      // On record: what comes from here on is continuous again.
      readSince = outcome.date
      state = .reading(request)
      return take(outcome, of: request, at: now)
    case .saving(let checkpoint):
      saved = (checkpoint, now)
      return startLookback(at: now)
    case .initial, .reading, .subscribing, .polling, .waiting:
      return action
    }
  }

  /// There is no room on the disk to read more, or to store what the last action asked for.
  package mutating func diskFull(at now: FeedInstant) -> FeedAction {
    switch state {
    case .reading, .beginning, .recording, .committing, .saving:
      return wait(rules.diskFullInterval, then: .again(state), at: now)
    case .initial, .subscribing, .polling, .waiting:
      return action
    }
  }

  /// A wait has ended.
  package mutating func woke(at now: FeedInstant) -> FeedAction {
    guard case .waiting(let until, let intention) = state else { return action }
    guard now >= until else { return action }
    switch intention {
    case .read: return read(at: now)
    case .listen: return waitForChange(at: now)
    case .again(let state):
      var budget = rules.commitBudget
      if case .reading = state { budget = rules.requestBudget }
      return enter(state, budget: budget, at: now)
    }
  }

  // MARK: Transitions

  mutating func enter(_ next: State, budget: Duration, at now: FeedInstant) -> FeedAction {
    state = next
    deadline = now + budget
    return action
  }

  mutating func wait(_ duration: Duration, then intention: Intention, at now: FeedInstant) -> FeedAction {
    enter(.waiting(until: now + duration, then: intention), budget: duration, at: now)
  }
}
