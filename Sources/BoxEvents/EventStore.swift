/// Where events go: the driver's one view of the disk. One store belongs to one stream.
///
/// What ``commit(_:at:)`` has returned from is durable. Calls come one at a time: recover (again after
/// `noSpace`); on a first start, begin, before or after the first page is deduplicated; then deduplicate,
/// commit, save and the rest. A batch that waits for space is stored before another one.
///
/// An actor, so that the driver can do all that follows from a page in one visit.
package protocol EventStore: Actor {
  /// Repairs what an earlier run left, and returns where to go on from.
  func recover() async throws(StoreFailure) -> Recovery

  /// Records the start of a stream that has never run: the first position, then the start line.
  func begin(at checkpoint: Checkpoint) async throws(StoreFailure)

  /// Which of a page's events are new. Changes nothing on disk and nothing known.
  /// - Parameter position: what the page was asked for with.
  func deduplicate(_ page: EventPage, readFrom position: ReadPosition) async throws(StoreFailure)
    -> EventBatch

  /// Appends the batch's new events, makes them durable, then saves the position.
  ///
  /// After a failure with code `noSpace` the same call with the same batch goes on at the byte where
  /// it stopped. After any other failure the store is unusable until the process has restarted.
  /// - Parameter checkpoint: the position to go on from once this batch is durable.
  func commit(_ batch: EventBatch, at checkpoint: Checkpoint) async throws(StoreFailure) -> Committed

  /// Saves a position that no new event came with.
  func save(_ checkpoint: Checkpoint) async throws(StoreFailure)

  /// Records that continuity can't be proven; a gap that is recorded already is not recorded again.
  func record(_ gap: Gap) async throws(StoreFailure)

  /// Called for each page, before it is deduplicated; as long as there was none, also before the page is read.
  /// - Throws: `noSpace` if the disk has too little free space to store what is read.
  func requireFreeSpace() async throws(StoreFailure)

  /// Closes what is open. Nothing is lost without it.
  func close() async
}

/// A position, and since when the stream is known to be complete up to it.
package struct Checkpoint: Hashable, Sendable {
  package var position: ReadPosition
  /// Box's time when the stream was last seen caught up at or before this position: nothing more to read, or events
  /// that had only just happened.
  package var confirmedAt: BoxTime?
  /// Box's time of the stream's first answer, of the last one for which a gap was recorded, or of the last page's
  /// events: from there on it has been read without a break, though not yet to its end. Nil once it has been caught up.
  package var readSince: BoxTime?

  package init(position: ReadPosition, confirmedAt: BoxTime? = nil, readSince: BoxTime? = nil) {
    self.position = position
    self.confirmedAt = confirmedAt
    self.readSince = readSince
  }

  /// Box's time of the last moment whose events were all there to be read. Nil before the first answer.
  package var continuousAt: BoxTime? { [confirmedAt, readSince].compactMap { $0 }.max() }

  /// The stream has been read on without a break up to events of that time.
  mutating func extend(to time: BoxTime) {
    if let continuousAt, time > continuousAt { readSince = time }
  }
}

/// What a store found at its start.
package struct Recovery: Hashable, Sendable {
  /// Nil on a first start.
  package var checkpoint: Checkpoint?
  /// The ordinal of the next event: how many events the stream has had.
  package var ordinal: UInt64
  /// What was done to repair the spool, one message each, for the journal.
  package var notes: [String]
  /// The position was rebuilt from what the spool holds.
  package var rebuilt: Bool
  /// Breaks in continuity to report: found now, or made by an operator since the stream was last caught up.
  package var gaps: [Gap]
  /// How many breaks are recorded for the stream, these included.
  package var recordedGaps: Int

  package init(
    checkpoint: Checkpoint?, ordinal: UInt64, notes: [String] = [], rebuilt: Bool = false, gaps: [Gap] = [],
    recordedGaps: Int = 0
  ) {
    self.checkpoint = checkpoint
    self.ordinal = ordinal
    self.notes = notes
    self.rebuilt = rebuilt
    self.gaps = gaps
    self.recordedGaps = recordedGaps
  }
}

/// A page with what the store knows about its events.
///
/// Two batches with one `id` are one batch, for example when a full disk makes a commit be called again.
package struct EventBatch: Hashable, Identifiable, Sendable, CustomStringConvertible {
  /// Given by the store's deduplication, which gives each id once in a run.
  package let id: UInt64
  package let page: EventPage
  /// What the page was asked for with.
  package let readFrom: ReadPosition
  /// The indices of the page's `events` that are new, in the order served.
  package let new: [Int]
  /// Events of the page that are known already, or come in it twice.
  package let duplicates: Int
  /// The indices of the page's `rejects` that have not been quarantined before.
  package let newRejects: [Int]

  package init(
    id: UInt64, page: EventPage, readFrom: ReadPosition, new: [Int], duplicates: Int, newRejects: [Int] = []
  ) {
    self.id = id
    self.page = page
    self.readFrom = readFrom
    self.new = new
    self.duplicates = duplicates
    self.newRejects = newRejects
  }

  /// When an event of the page happened; nil where it doesn't tell.
  package func creationDate(ofEvent index: Int) -> UTCDate? {
    UTCDate(rfc3339: page.bytes[page.events[index].createdAt])
  }

  /// Without the events, which no log may show.
  package var description: String { "batch \(id), \(new.count) new" }

  package static func == (left: Self, right: Self) -> Bool { left.id == right.id }
  package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// What a commit did.
package struct Committed: Hashable, Sendable {
  /// New events appended.
  package var events: Int
  /// Bytes appended, newlines included.
  package var bytes: Int
  /// The ordinal of the next event.
  package var ordinal: UInt64
  /// Breaks in continuity that were found on the way and recorded: something has been removed from the spool.
  package var gaps: [Gap]

  package init(events: Int, bytes: Int, ordinal: UInt64, gaps: [Gap] = []) {
    self.events = events
    self.bytes = bytes
    self.ordinal = ordinal
    self.gaps = gaps
  }
}

/// A stretch of the stream that may be missing from the spool. One line of `gaps.ndjson`.
package struct Gap: Hashable, Sendable {
  package enum Cause: String, Hashable, Sendable, CaseIterable {
    /// Box keeps events for a limited time, and the position is older.
    case retention
    /// The spool ends before the point the position file guarantees.
    case spoolShortened = "spool-shortened"
    /// The position was lost and rebuilt from older evidence, or could not be.
    case stateLost = "state-lost"
    /// An operator moved the position.
    case positionSet = "position-set"
  }

  package var cause: Cause
  package var from: ReadPosition?
  package var to: ReadPosition?
  /// Box's time at the last moment known to be complete.
  package var since: BoxTime?
  /// Box's time when the break was found; the local time where a store has found it.
  package var until: BoxTime?

  package init(
    cause: Cause, from: ReadPosition?, to: ReadPosition?, since: BoxTime? = nil, until: BoxTime? = nil
  ) {
    self.cause = cause
    self.from = from
    self.to = to
    self.since = since
    self.until = until
  }
}

/// Why the store could not do what it was asked: the one error type of every store.
package struct StoreFailure: ExplainedError, Hashable, Sendable {
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// The disk or a quota is full, or the directory was moved away. Nothing is lost; the call may be repeated.
    case noSpace
    /// A system call failed, or a sync: final for this process.
    case io
    /// The state can't be trusted: operator action required.
    case blocked
    /// Another process holds the directory.
    case locked
    /// Ownership, permissions or the kind of a file are not what they must be.
    case refused
    /// The call doesn't fit the store's state: a mistake in this program. Nothing has changed.
    case misuse

    /// What to do, as far as the code alone determines it.
    fileprivate var hint: String {
      switch self {
      case .noSpace:
        "Free some space on this file system (df, df -i): nothing is lost, and box-eventd goes on by itself."
      case .io: "Start box-eventd again: it repairs what it can. See the kernel's log for errors of the disk."
      case .blocked: "See the stream's log, then run: box-eventd position show STREAM."
      case .locked: "Stop the other process first."
      case .refused:
        "The daemon needs its own file or directory there, which belongs to the daemon's user. "
          + "Correct it, or move it away."
      case .misuse: "This is a bug in box-eventd; please report this message."
      }
    }
  }

  package var code: Code
  /// What happened, with the path: `cannot sync /var/spool/…/events-0.ndjson: Input/output error`.
  package var message: String
  /// What to do.
  package var hint: String?
  /// The system's error number, where there was one.
  package var errno: Int32?
  /// For `locked`, the process that holds the lock.
  package var holder: Int32?
  /// For `noSpace`, a sync has failed: what was written counts only once it has been written and synced again.
  package var isUnproven = false
  /// For `noSpace`, it isn't the disk that is full: the spool's or the state's directory was moved away.
  package var isOfRoot = false

  /// - Parameter hint: nil for the code's own.
  package init(
    _ code: Code, _ message: String, hint: String? = nil, errno: Int32? = nil, holder: Int32? = nil
  ) {
    self.code = code
    self.message = message
    self.hint = hint ?? code.hint
    self.errno = errno
    self.holder = holder
  }
}
