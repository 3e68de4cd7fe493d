package import BoxEvents
import Glibc

/// The spool of one stream: ``EventStore`` on this machine's disk.
///
/// An actor whose work runs on a ``DiskThread``, so that it may block. It decides which calls are allowed;
/// ``OpenSpool`` does the work. The order of system calls that makes an event durable is in
/// `OpenSpool+Commit.swift`, what makes the spool consistent after a crash in `SpoolRecovery.swift`.
package actor StreamSpool: EventStore {
  enum State {
    /// Nothing is open: before a recovery, after one that may be tried again, and after ``close()``.
    /// Can transition to: `open`, `failed`.
    case closed
    /// Recovered.
    /// Can transition to: `resting`, `closed`, `interrupted`, `failed`.
    case open(OpenSpool)
    /// Recovered, its files closed for the time being: see ``DiskThread/noteOpen(_:)``. The next call opens them.
    /// Can transition to: `open`, `closed`, `failed`.
    case resting(OpenSpool, OpenSpool.Identities)
    /// Closed by itself: a sync has found the disk full, or the stream's directories were moved. The next call
    /// recovers it first.
    /// Can transition to: `closed`, `open`, `failed`.
    case interrupted(OpenSpool.Interruption)
    /// A call has failed, and not on a full disk. What the disk holds is known again only after a recovery by
    /// another process. Nothing is open; every call throws this failure.
    case failed(StoreFailure)
  }

  private(set) var state = State.closed
  /// How many pages this run has deduplicated: the id of the last batch.
  private var batches: EventBatch.ID = 0
  private let setup: Setup
  nonisolated package var unownedExecutor: UnownedSerialExecutor { setup.thread.asUnownedSerialExecutor() }

  /// - Parameters:
  ///   - bootID: of the running kernel; empty if unknown, which trusts nothing of an earlier run.
  ///   - owner: whose feed is being read, where only Box knows; nil as long as Box hasn't told.
  ///   - progress: called with the bytes read so far where much is read, and with 0 when a call that changes
  ///     something begins to run.
  ///   - warn: called with what went wrong and doesn't matter: a finished segment can't be read.
  package init(
    _ location: Location, limits: SpoolLimits = SpoolLimits(), bootID: String, clock: SpoolClock = .system,
    thread: DiskThread, owner: @escaping @Sendable () -> String? = { nil },
    progress: @escaping @Sendable (Int) -> Void = { _ in },
    warn: @escaping @Sendable (StoreFailure) -> Void = { _ in }
  ) {
    setup = Setup(
      location: location, limits: limits,
      bootID: String(bootID.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(64)),
      clock: clock, thread: thread, owner: owner, progress: progress, warn: warn)
  }

  package func recover() throws(StoreFailure) -> Recovery {
    if case .failed(let failure) = state { throw failure }
    close()
    do throws(StoreFailure) {
      let (spool, recovery) = try SpoolRecovery.recover(setup)
      state = .open(spool)
      setup.thread.noteOpen(self)
      return recovery
    } catch {
      // Of the others, time or an operator can remove the cause.
      if error.code == .io { state = .failed(error) }
      throw error
    }
  }

  package func begin(at checkpoint: Checkpoint) throws(StoreFailure) {
    try withOpen { spool throws(StoreFailure) in try spool.begin(at: checkpoint) }
  }

  package func deduplicate(
    _ page: EventPage, readFrom position: ReadPosition
  ) async throws(StoreFailure) -> EventBatch {
    if !page.events.isEmpty { try await loadWindow() }
    batches += 1
    return try withOpen { spool throws(StoreFailure) in
      try spool.checkOwner()
      return try spool.deduplicate(page, readFrom: position, id: batches)
    }
  }

  package func commit(_ batch: EventBatch, at checkpoint: Checkpoint) async throws(StoreFailure) -> Committed
  {
    try checkDirectories()
    if !batch.new.isEmpty { try await loadWindow() }
    return try withOpen { spool throws(StoreFailure) in try spool.commit(batch, at: checkpoint) }
  }

  package func save(_ checkpoint: Checkpoint) throws(StoreFailure) {
    try withOpen { spool throws(StoreFailure) in
      try spool.finishPending()
      // No event depends on it, so its sync is left to the next commit; a power cut only reads again.
      try spool.save(checkpoint, durable: false)
      spool.deleteOverLimits()
      // Nothing new for as long as a save takes to fall due: the ids, 260 KB for each of perhaps thousands of
      // streams, can wait in the spool. The next event brings them back.
      (spool.window, spool.loading, spool.knownRejects) = (nil, nil, nil)
    }
  }

  package func record(_ gap: Gap) throws(StoreFailure) {
    try withOpen { spool throws(StoreFailure) in try spool.recordOnce(gap) }
  }

  package func requireFreeSpace() throws(StoreFailure) {
    // The read that this begins has its own time.
    try withOpen(isTimed: false) { spool throws(StoreFailure) in
      // A stream without events reads too, after each poll.
      spool.deleteOverLimits(every: .seconds(240))
      let (free, keepFree) = (try spool.files.spool.freeBytes(), setup.limits.keepFree)
      guard free < keepFree else { return }
      throw StoreFailure(
        .noSpace,
        "less than keep_free (\(Self.text(keepFree))) is left on the disk of \(setup.location.spoolRoot.path): "
          + Self.text(free))
    }
  }

  /// A size for people: in MiB, or in bytes where there isn't one.
  private static func text(_ bytes: UInt64) -> String {
    bytes < 1 << 20 ? "\(bytes) bytes" : "\(bytes >> 20) MiB"
  }

  package func close() {
    switch state {
    case .open(var spool):
      // Nothing depends on it.
      try? spool.markDurable(isLast: true)
      spool.close()
    case .resting(let spool, let identities):
      if !spool.isMarked, var woken = try? spool.woken(as: identities) {
        try? woken.markDurable(isLast: true)
        woken.close()
      }
    case .interrupted: break
    case .closed, .failed: return
    }
    state = .closed
  }

  /// What is written into directories that someone has moved away would be lost to readers.
  @inline(never)
  private func checkDirectories() throws(StoreFailure) {
    let isInPlace = try withOpen { spool throws(StoreFailure) in try spool.files.areInPlace(setup.location) }
    if !isInPlace, case .open(let spool) = state { state = .interrupted(spool.interrupted()) }
  }

  /// Loads the window of known ids. Between its slices the thread works for other streams.
  private func loadWindow() async throws(StoreFailure) {
    while try !loadsSlice() { await Task.yield() }
  }

  /// Whether the window is loaded; loads a slice of it if it isn't.
  @inline(never)
  private func loadsSlice() throws(StoreFailure) -> Bool {
    try withOpen { spool throws(StoreFailure) in
      if spool.window == nil { try spool.loadWindowSlice() }
      return spool.window != nil
    }
  }

  /// Runs one call on what is open. Not inlined, so that the large value stays out of async frames.
  @inline(never)
  private func withOpen<Result>(
    _ call: String = #function, isTimed: Bool = true, _ body: (inout OpenSpool) throws(StoreFailure) -> Result
  ) throws(StoreFailure) -> Result {
    // Until now it may have waited for other streams.
    if isTimed { setup.progress(0) }
    var spool = try opened(call)
    // Taken out of the state for the time of the call, so that its arrays are changed in place.
    state = .closed
    do throws(StoreFailure) {
      let result = try body(&spool)
      state = .open(spool)
      setup.thread.noteOpen(self)
      return result
    } catch {
      switch error.code {
      case .noSpace where error.isUnproven: state = .interrupted(spool.interrupted())
      case .noSpace, .misuse: state = .open(spool)
      case .io, .blocked, .locked, .refused:
        spool.close()
        state = .failed(error)
      }
      throw error
    }
  }

  /// Closes the files until the next call, if nothing is under way.
  /// - Returns: whether they are closed.
  func rest() -> Bool {
    guard case .open(let spool) = state else { return true }
    // What is wrong with its files is the next call's to find out.
    guard spool.canRest else { return false }
    spool.close()
    state = .resting(spool, spool.identities)
    return true
  }

  private func opened(_ call: String) throws(StoreFailure) -> OpenSpool {
    switch state {
    case .closed: throw setup.misuse("\(call) was called while it is not open")
    case .failed(let failure): throw failure
    case .open(let spool): return spool
    case .resting(let spool, let identities):
      do throws(StoreFailure) {
        if let woken = try spool.woken(as: identities) { return woken }
        return try OpenSpool.reopened(setup, after: spool.interruption)
      } catch {
        if error.code != .noSpace { state = .failed(error) }
        throw error
      }
    case .interrupted(let interruption):
      do throws(StoreFailure) {
        return try OpenSpool.reopened(setup, after: interruption)
      } catch {
        if error.code != .noSpace { state = .failed(error) }
        throw error
      }
    }
  }
}

extension StreamSpool {
  /// Which stream's spool, and where.
  package struct Location: Sendable {
    /// The stream's name, which names its directories.
    package var name: String
    /// Whose feed the position belongs to.
    package var feed: FeedIdentity
    /// The spool's directory and the state's, each of all streams; both locked by this process.
    package var spoolRoot: DiskDirectory
    package var stateRoot: DiskDirectory

    package init(name: String, feed: FeedIdentity, spoolRoot: DiskDirectory, stateRoot: DiskDirectory) {
      self.name = name
      self.feed = feed
      self.spoolRoot = spoolRoot
      self.stateRoot = stateRoot
    }
  }

  /// What a store is made with, unchanged for its run.
  struct Setup: Sendable {
    let location: Location
    let limits: SpoolLimits
    let bootID: String
    let clock: SpoolClock
    let thread: DiskThread
    let owner: @Sendable () -> String?
    let progress: @Sendable (Int) -> Void
    let warn: @Sendable (StoreFailure) -> Void

    /// A call that doesn't fit the store's state: a mistake in this program. Stops a debug build.
    func misuse(_ what: String) -> StoreFailure {
      assertionFailure("the spool of the stream \(location.name): \(what)")
      return StoreFailure(.misuse, "the spool of the stream \(location.name) is used wrongly: \(what)")
    }
  }
}

/// The keys of `[spool]` that one stream's spool obeys.
package struct SpoolLimits: Hashable, Sendable {
  /// A new segment is begun once the newest has this many bytes …
  package var segmentSize = 64 << 20
  /// … or this age, when the next event is written; zero begins one by size only.
  package var segmentAge = Duration.seconds(86_400)
  /// But not sooner after the last one: what follows `current` looks every few seconds.
  package var minimumSegmentLife = Duration.seconds(10)
  /// Below this many free bytes nothing more is read.
  package var keepFree: UInt64 = 256 << 20
  /// The oldest finished segments are deleted when all together have more bytes than this; 0 keeps all.
  package var maxSize = 0
  /// A finished segment is deleted when its last event is older than this, by Box's time; zero keeps all.
  package var maxAge = Duration.zero
  /// How many of the newest events are known by their ids, at least; 26 bytes each …
  package var knownEvents = 10_000
  /// … and all that are younger than this, but no more than the ceiling: some 32 MB for a busy stream.
  package var knownPeriod = Duration.seconds(4 * 3600)
  package var knownCeiling = 1_000_000

  package init() {}
}

/// The spool's two clocks, as closures so that a test can set them.
package struct SpoolClock: Sendable {
  /// Local time, seconds since 1970: for the text of records, and the age of segments.
  package var wallSeconds: @Sendable () -> Int64
  /// Time that only goes forward, from any start: for distances inside a run.
  package var monotonic: @Sendable () -> Duration

  package init(wallSeconds: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> Duration) {
    self.wallSeconds = wallSeconds
    self.monotonic = monotonic
  }

  package static let system = SpoolClock(
    wallSeconds: { Int64(time(nil)) },
    monotonic: {
      var now = timespec()
      clock_gettime(CLOCK_MONOTONIC, &now)
      return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
    })
}
