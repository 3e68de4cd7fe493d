/// The rules of one Box event stream: what to do next, after every input.
///
/// A value without I/O or clock. The driver does the action it is given and reports the result with one call,
/// which returns the next action:
///
///     drain ──▶ subscribe ──▶ poll ──▶ drain ──▶ poll or subscribe …
///
/// A call that doesn't belong to the present state is a mistake of the caller. It goes to
/// `onUnexpectedInput`, changes nothing, and returns the action the machine still waits for.
/// Sources: Box's guide and reference of user events, and public threads. The rules: box-eventd(8), "HOW THE
/// FEED IS READ".
package struct FeedStateMachine: Sendable {
  indirect enum State: Hashable, Sendable {
    /// Nothing has been asked yet. Can transition to: reading, beginning.
    case initial
    /// One page is being read. Can transition to: beginning (the first position), recording (a gap is found),
    /// committing (new events), reading, saving, subscribing, polling (caught up), waiting.
    case reading(ReadRequest)
    /// The first position of a new stream is being recorded. Can transition to: reading, waiting.
    case beginning(Checkpoint)
    /// A break in continuity is being recorded; the page that showed it waits.
    /// Can transition to: whatever the page leads to from `reading`.
    case recording(Gap, PageOutcome, ReadRequest)
    /// New events are being made durable, and the position after them (in a lookback, the stream's own).
    /// Can transition to: reading, polling (more is about to come), saving, waiting.
    case committing(EventBatch, Checkpoint)
    /// The stream is caught up, and its position is due to be saved.
    /// Can transition to: subscribing, polling, waiting, reading (a lookback).
    case saving(Checkpoint)
    /// A realtime server is being asked for. Can transition to: polling, waiting.
    case subscribing
    /// A long poll is under way, since the instant. Can transition to: reading, waiting.
    case polling(RealtimeServer, since: FeedInstant)
    /// Nothing is under way until the instant. Can transition to: what the intention names.
    case waiting(until: FeedInstant, then: Intention)
  }

  /// What a wait is for.
  indirect enum Intention: Hashable, Sendable {
    case read
    /// The stream is caught up: poll or subscribe, or read again if neither is due.
    case waitForChange
    /// Try again what found the disk full.
    case retry(State, StoreFailure)
  }

  let rules: FeedRules
  /// Called with each call that doesn't belong to the state.
  private let onUnexpectedInput: @Sendable (UnexpectedInput) -> Void
  var jitter: Jitter
  var state = State.initial
  /// When the present stage must have ended, by its own limits.
  package private(set) var deadline: FeedInstant

  /// Where the stream is: what the next read starts from, and how far back the stream is complete.
  var checkpoint = Checkpoint(position: .oldest)
  /// What the store has, and since when.
  var saved: (checkpoint: Checkpoint?, at: FeedInstant)
  var boxClock = BoxClock()
  var reading = Reading()
  /// Keeps the reads of a busy stream below Box's limit: pages that aren't full are paid for, full ones are free.
  var pace: Pace
  var failedReads = FailedReads()
  var realtime = Realtime()
  var lookbacks: Lookbacks

  /// - Parameter seed: of the jitter.
  package init(
    rules: FeedRules, at now: FeedInstant, seed: UInt64,
    onUnexpectedInput: @escaping @Sendable (UnexpectedInput) -> Void = { assertionFailure("\($0)") }
  ) {
    self.rules = rules
    self.onUnexpectedInput = onUnexpectedInput
    jitter = Jitter(seed: seed)
    pace = Pace(interval: rules.shortReadInterval, reserve: rules.shortReads)
    deadline = now + rules.requestBudget
    saved = (nil, now)
    lookbacks = Lookbacks(rules, at: now)
  }
}

// MARK: - Views

extension FeedStateMachine {
  /// The position to save when the stream stops; nil before there is one, or when it is saved.
  package var unsavedCheckpoint: Checkpoint? {
    let isSaved = saved.checkpoint == nil || saved.checkpoint == checkpoint
    return isSaved || checkpoint.position == .now ? nil : checkpoint
  }

  package var currentPosition: ReadPosition { checkpoint.position }
  /// How many lookbacks have come to their end.
  package var completedLookbacks: Int { lookbacks.completed }
  /// During a lookback, Box's time when the stream was last seen caught up; nil at other times.
  package var lookbackCaughtUpAt: BoxTime? { lookbacks.current == nil ? nil : checkpoint.confirmedAt }

  /// Box's time of the last moment whose events were all there to be read.
  package var continuousAt: BoxTime? { checkpoint.continuousAt }

  /// How long ago, by Box's clock, the stream was last known to be complete. Nil before Box has told its time.
  package func positionAge(at now: FeedInstant) -> Duration? {
    checkpoint.continuousAt.flatMap { boxClock.age(of: $0, at: now) }
  }

  /// A lasting problem that only an operator ends, as far as one can see: it is tried again all the same, since Box
  /// has bad hours.
  package var operatorActionRequired: FeedFailure? {
    guard case .lasting(let failure)? = failedReads.problem else { return nil }
    return switch failure.code {
    case .signInRefused, .refused, .malformedPage, .tooLarge: failure
    case .unreachable, .throttled, .serverError, .unauthorized, .forbidden, .unreadable, .realtimeRefused,
      .signInFailed, .cancelled:
      nil
    }
  }

  /// Box is asked for something that it answers at once.
  package var awaitsAnswer: Bool {
    switch state {
    case .reading, .subscribing: true
    case .initial, .beginning, .recording, .committing, .saving, .polling, .waiting: false
    }
  }

  /// The store is asked for something.
  package var awaitsStore: Bool {
    switch state {
    case .beginning, .recording, .committing, .saving: true
    case .initial, .reading, .subscribing, .polling, .waiting: false
    }
  }

  /// When a wait ends.
  package var nextAttempt: FeedInstant? {
    guard case .waiting(let until, _) = state else { return nil }
    // Without realtime notifications most waits end with a read.
    return problem?.isOfRealtime == true ? realtime.subscribeNotBefore ?? until : until
  }

  /// What is wrong with the stream, also while it goes on in spite of it.
  package var problem: FeedFailure? { failedReads.problem?.failure ?? realtime.problem }

  /// When a problem is over if the present action goes on until then; nil where it isn't. A poll that only begins
  /// proves nothing; one that is held does.
  package var problemEnd: FeedInstant? {
    if case .polling(_, let since) = state { since + rules.emptyWakeUpLimit } else { nil }
  }

  package var condition: FeedCondition {
    if case .lasting(let failure)? = failedReads.problem { return .blocked(failure) }
    if reading.isStalled { return .stalled }
    switch state {
    case .initial, .reading, .beginning, .recording, .committing, .saving, .subscribing: return .reading
    case .polling: return .polling
    case .waiting(_, then: .retry(_, let failure)): return .paused(failure)
    // Waiting for the next read is what polling is to a user's stream.
    case .waiting where !rules.hasRealtimeServer && !reading.isBehind && problem == nil: return .polling
    case .waiting(_, then: .read), .waiting(_, then: .waitForChange): return .waiting(problem)
    }
  }

  /// The action of the present state.
  var action: FeedAction {
    switch state {
    case .initial: .wait(until: deadline)
    case .reading(let request): .read(request)
    case .beginning(let checkpoint): .begin(checkpoint)
    case .recording(let gap, _, _): .record(gap)
    case .committing(let batch, let checkpoint): .commit(batch, at: checkpoint)
    case .saving(let checkpoint): .save(checkpoint)
    case .subscribing: .subscribe
    case .polling(let server, _): .poll(server, from: checkpoint.position)
    case .waiting(let until, _): .wait(until: until)
    }
  }
}

// MARK: - Inputs

extension FeedStateMachine {
  /// The store has named the position to go on from, or the configuration where to begin.
  /// - Parameter saved: what the store holds already; nil on a first start.
  package mutating func start(
    from start: ReadPosition, saved stored: Checkpoint?, at now: FeedInstant
  ) -> FeedAction {
    guard case .initial = state else { return unexpected("start") }
    checkpoint = Checkpoint(position: start, confirmedAt: stored?.confirmedAt, readSince: stored?.readSince)
    saved = (stored, now)
    if start != .now {
      if stored == nil { return store(.beginning(checkpoint), at: now) }
      lookbacks.history?.pass(start, new: 0, at: now)
    }
    return read(at: now)
  }

  /// The store has done what the last action asked of it.
  package mutating func stored(at now: FeedInstant) -> FeedAction {
    switch state {
    case .beginning(let stored):
      adopt(stored, at: now)
      lookbacks.history?.pass(stored.position, new: 0, at: now)
      return read(at: now)
    case .committing(_, let stored):
      adopt(stored, at: now)
      if lookbacks.current != nil { return continueLookback(at: now) }
      if let problem = failedReads.problem { return retryRead(after: problem.failure, at: now) }
      // An enterprise stream is read at its interval; more would cost calls and bring little.
      if reading.isRecent, !rules.hasRealtimeServer { return saveIfDue(at: now) }
      return pollBriefly(at: now) ?? read(at: now)
    case .recording(_, let outcome, let request):
      // Recorded: what comes from here on is continuous again.
      checkpoint.readSince = outcome.date
      state = .reading(request)
      return take(outcome, of: request, at: now)
    case .saving(let stored):
      saved = (stored, now)
      return startLookback(at: now)
    case .initial, .reading, .subscribing, .polling, .waiting: return unexpected("stored")
    }
  }

  /// The disk is too full to read more, or to store what the last action asked for.
  package mutating func diskFull(_ failure: StoreFailure, at now: FeedInstant) -> FeedAction {
    switch state {
    case .reading, .beginning, .recording, .committing, .saving:
      return wait(rules.diskFullInterval, then: .retry(state, failure), at: now)
    case .initial, .subscribing, .polling, .waiting: return unexpected("diskFull")
    }
  }

  /// A wait has ended; a wait that a cancelled task has cut short goes on.
  package mutating func woke(at now: FeedInstant) -> FeedAction {
    guard case .waiting(let until, let intention) = state else { return unexpected("woke") }
    return now >= until ? carryOut(intention, at: now) : action
  }

  /// Something may have changed for the better: a wait ends now, and back-offs begin anew. Whether the problem is over
  /// is shown by what is tried.
  package mutating func retry(at now: FeedInstant) -> FeedAction {
    guard case .waiting(_, let intention) = state else { return unexpected("retry") }
    failedReads.backoff.reset()
    realtime.backoff.reset()
    realtime.subscribeNotBefore = nil
    return carryOut(intention, at: now)
  }

  private mutating func carryOut(_ intention: Intention, at now: FeedInstant) -> FeedAction {
    switch intention {
    case .read: return read(at: now)
    case .waitForChange: return waitForChange(at: now)
    case .retry(.reading(let request), _): return read(request, at: now)
    case .retry(let state, _): return store(state, at: now)
    }
  }
}

// MARK: - Transitions

extension FeedStateMachine {
  mutating func enter(_ next: State, budget: Duration, at now: FeedInstant) -> FeedAction {
    state = next
    deadline = now + budget
    return action
  }

  mutating func read(_ request: ReadRequest, at now: FeedInstant) -> FeedAction {
    enter(.reading(request), budget: rules.requestBudget, at: now)
  }

  /// Enters a state that waits for the store.
  mutating func store(_ next: State, at now: FeedInstant) -> FeedAction {
    enter(next, budget: rules.commitBudget, at: now)
  }

  /// The store has this checkpoint: the stream goes on from it.
  private mutating func adopt(_ stored: Checkpoint, at now: FeedInstant) {
    checkpoint = stored
    saved = (stored, now)
  }

  mutating func wait(_ duration: Duration, then intention: Intention, at now: FeedInstant) -> FeedAction {
    enter(.waiting(until: now + duration, then: intention), budget: duration, at: now)
  }

  /// A call that doesn't belong to the state.
  func unexpected(_ input: String) -> FeedAction {
    onUnexpectedInput(UnexpectedInput(input: input, awaited: action))
    return action
  }
}

/// A call of the machine that doesn't belong to its state.
package struct UnexpectedInput: Hashable, Sendable, CustomStringConvertible {
  /// The name of the call.
  package let input: String
  /// What the machine waits for instead.
  package let awaited: FeedAction

  package var description: String { "\(input) while the machine waits for: \(awaited)" }
}
