package import BoxEvents

/// The spool of one stream: ``EventStore`` on this machine's disk.
///
/// An actor whose work runs on a ``DiskThread``, so that it may block. What makes it durable is the order
/// of a few calls, in ``StreamSpool/commit(_:at:)``; what makes it whole after a crash is
/// ``StreamSpool/recover()``.
package actor StreamSpool: EventStore {
  /// What one stream's spool is made of.
  package struct Location: Sendable {
    /// The stream's name, which names its directories.
    package var name: String
    /// Whose feed the position belongs to.
    package var feed: FeedIdentity
    /// The spool's directory and the state's, each of all streams; both locked by this process.
    package var spoolRoot: DiskDirectory
    package var stateRoot: DiskDirectory

    package init(
      name: String, feed: FeedIdentity, spoolRoot: DiskDirectory, stateRoot: DiskDirectory
    ) {
      self.name = name
      self.feed = feed
      self.spoolRoot = spoolRoot
      self.stateRoot = stateRoot
    }
  }

  /// The segment that is being written.
  struct ActiveSegment: Sendable {
    var file: DiskFile
    var ordinal: UInt64
    /// Bytes of whole, durable lines.
    var size: Int
    /// Local seconds since 1970.
    var begunAt: Int64
  }

  nonisolated let thread: DiskThread
  nonisolated package var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  let location: Location
  let limits: SpoolLimits
  let bootID: String
  let clock: SpoolClock
  /// Called with the bytes looked at so far, during a long recovery.
  let progress: @Sendable (Int) -> Void

  var files: StreamFiles?
  var segmentLog: LineLog?
  var gapLog: LineLog?
  var quarantine: LineLog?
  var positionFile: TwoBlockFile?
  /// What the position file says.
  var record: PositionRecord?
  var active: ActiveSegment?
  /// A partial line behind the active segment's whole lines, kept for the event that may begin with it.
  var partialLine: [UInt8] = []
  /// The ordinal of the next event.
  var ordinal: UInt64 = 0
  /// That of the first event of this run.
  var firstOrdinal: UInt64 = 0
  var lastRotation: Duration?
  var lastPruning: Duration?
  /// Nil until it is needed.
  var window: DuplicateWindow?
  /// What has been quarantined lately; nil until it is needed.
  var knownRejects: DuplicateWindow?
  /// How many pages have been deduplicated: the id of the last batch.
  private var batches: UInt64 = 0
  /// A commit that a full disk has interrupted.
  var pending: PendingCommit?
  /// Gaps that are on record and have not been told of.
  var unreported: [Gap] = []
  /// A new segment that a full disk has interrupted.
  var rotation: Rotation?
  /// Why this store can't be used any more.
  private var failure: StoreFailure?

  /// - Parameters:
  ///   - bootID: of the running kernel; empty if unknown, which trusts nothing of an earlier run.
  ///   - thread: where the work is done.
  ///   - progress: called with the bytes looked at so far, during a long recovery.
  package init(
    _ location: Location, limits: SpoolLimits = SpoolLimits(), bootID: String, clock: SpoolClock = .system,
    thread: DiskThread, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.location = location
    self.limits = limits
    self.bootID = String(bootID.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(64))
    self.clock = clock
    self.thread = thread
    self.progress = progress
  }

  // MARK: EventStore

  package func recover() throws(StoreFailure) -> Recovery {
    try guarded(afterwards: [.io]) { () throws(StoreFailure) in
      release()
      return try recovered()
    }
  }

  package func begin(at checkpoint: Checkpoint) throws(StoreFailure) {
    try guarded { () throws(StoreFailure) in
      let files = try opened()
      // The file with its two blocks is on disk before the first record; a crash leaves a first start.
      if positionFile == nil { positionFile = try files.madePosition() } else { try positionFile?.reassert() }
      try write(checkpoint)
      // A crash here: the record alone says that the stream has begun; recovery adds the line.
      // A stream whose position was set to `now` has its line already.
      if try segmentLog?.hasContent() != true { try writeStartLine(checkpoint.position) }
    }
  }

  package func deduplicate(
    _ page: EventPage, readFrom position: ReadPosition
  ) throws(StoreFailure) -> EventBatch {
    try guarded { () throws(StoreFailure) in
      let new = try newEvents(of: page)
      batches += 1
      return EventBatch(
        id: batches, page: page, readFrom: position, new: new, duplicates: page.events.count - new.count,
        newRejects: try newRejects(of: page))
    }
  }

  package func commit(_ batch: EventBatch, at checkpoint: Checkpoint) throws(StoreFailure) -> Committed {
    try guarded { () throws(StoreFailure) in
      if pending?.isOf(batch, checkpoint) != true {
        if pending != nil { _ = try finish() }
        pending = try prepared(batch, checkpoint)
      }
      var done = try finish()
      done.gaps = takeUnreported()
      return done
    }
  }

  package func save(_ checkpoint: Checkpoint) throws(StoreFailure) {
    try guarded { () throws(StoreFailure) in
      if pending != nil { _ = try finish() }
      // No event depends on it, so it waits for the next sync; a crash of the machine only reads again.
      try write(checkpoint, durable: false)
      prune()
      // Nothing new for as long as a save takes to fall due: the ids can wait in the spool.
      dropCaches()
    }
  }

  package func record(_ gap: Gap) throws(StoreFailure) {
    try guarded { () throws(StoreFailure) in
      _ = try opened()
      try recordOnce(gap)
    }
  }

  package func hasFreeSpace() throws(StoreFailure) -> Bool {
    try guarded { () throws(StoreFailure) in try opened().spool.freeBytes() >= limits.keepFree }
  }

  package func close() {
    release()
    failure =
      failure ?? StoreFailure(.io, "the spool of the stream \(location.name) is closed")
  }

  /// Forgets the ids, to save memory while nothing happens: 260 KB a stream, with thousands of them in a
  /// process. The next event brings them back from the spool.
  private func dropCaches() {
    window = nil
    knownRejects = nil
  }

  // MARK: What the aspects share

  func opened() throws(StoreFailure) -> StreamFiles {
    guard let files else {
      throw StoreFailure(.io, "the spool of the stream \(location.name) has not been recovered")
    }
    return files
  }

  /// Writes the position record for what is durable now.
  /// - Parameter isAfterNewEvents: the checkpoint stands behind events that were new.
  func write(
    _ checkpoint: Checkpoint, durable: Bool = true, isAfterNewEvents: Bool = false
  ) throws(StoreFailure) {
    var known = record?.known ?? .recent
    // Dry since: everything the position stood before has been read again.
    if let confirmedAt = checkpoint.confirmedAt, confirmedAt != record?.confirmedAt { known = .recent }
    // So has a short tail, or nearly; the window of the newest events is enough for it.
    if isAfterNewEvents, !needsFullWindow { known = .recent }
    try write(
      PositionRecord(
        checkpoint: checkpoint, ordinal: ordinal, segment: active?.ordinal ?? ordinal,
        offset: active?.size ?? 0,
        boot: bootID, feed: location.feed.digest, known: known), durable: durable)
    if known == .recent, window?.capacity == .max { window?.resize(to: limits.knownEvents) }
  }

  func write(_ next: PositionRecord, durable: Bool = true) throws(StoreFailure) {
    guard positionFile != nil else {
      throw StoreFailure(.io, "the stream \(location.name) has no position file; begin was not called")
    }
    try positionFile?.write(next.text, durable: durable)
    record = next
  }

  func writeStartLine(_ position: ReadPosition) throws(StoreFailure) {
    try segmentLog?.append(
      SegmentEntry.startLine(at: position, feed: location.feed.digest, time: clock.wallSeconds()))
  }

  /// Runs one call. After a failure that is not for another try, everything is refused: what the disk
  /// holds is known again only after a recovery.
  private func guarded<Result>(
    afterwards final: Set<StoreFailure.Code> = [.io, .blocked, .locked, .refused],
    _ body: () throws(StoreFailure) -> Result
  ) throws(StoreFailure) -> Result {
    if let failure { throw failure }
    do throws(StoreFailure) {
      return try body()
    } catch {
      if final.contains(error.code) { failure = error }
      throw error
    }
  }

  /// Back to the state of a new store, with nothing open.
  private func release() {
    active?.file.close()
    rotation?.file?.close()
    positionFile?.close()
    files?.close()
    (files, segmentLog, gapLog, quarantine) = (nil, nil, nil, nil)
    (positionFile, record, active, rotation, pending) = (nil, nil, nil, nil, nil)
    (window, knownRejects, partialLine, ordinal, firstOrdinal) = (nil, nil, [], 0, 0)
    unreported = []
    (lastRotation, lastPruning) = (nil, nil)
  }
}
