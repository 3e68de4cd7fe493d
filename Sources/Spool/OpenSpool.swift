import BoxEvents

/// One stream's spool while it is open: its files, what they are known to hold, and the work on them.
/// ``SpoolRecovery`` builds it. A value: ``StreamSpool`` owns the only one, so that each call changes it in place.
struct OpenSpool {
  /// The position file and its newest record.
  struct SavedPosition {
    var file: TwoBlockFile
    var record: PositionRecord
  }

  /// The segment that is being written.
  struct ActiveSegment {
    var file: DiskFile
    let ordinal: UInt64
    /// When it was begun: local seconds since 1970, and on the monotonic clock.
    var begunAt: Int64
    var begunAtMonotonic: Duration
    /// Bytes of complete, durable lines.
    var size: Int
    /// The last of them, as this run has written them; empty before its first.
    var end: [UInt8] = []
    /// A partial line after these, kept for the event that may begin with it.
    var partialLine: [UInt8] = []
  }

  let setup: StreamSpool.Setup
  var files: StreamFiles
  var segmentLog: LineLog
  var gapLog: LineLog
  var quarantineLog: LineLog
  /// Nil on a first start, until ``begin(at:)``.
  var position: SavedPosition?
  /// Nil before the first event, and after someone has deleted or emptied it.
  var active: ActiveSegment?
  /// The ordinal of the next event.
  var ordinal: UInt64 = 0
  /// ``PositionRecord/owner``, as it will be saved next.
  var owner: String?
  /// ``PositionRecord/accepted``: where the spool ended when it was recovered.
  var accepted: SpoolEnd?
  /// The ordinal of this run's first event.
  var firstOrdinal: UInt64 = 0
  /// The ids of the newest events. Nil until it is needed.
  var window: DuplicateWindow?
  /// The window on its way there.
  var loading: WindowLoad?
  /// How many events there were when.
  var recent = RecentEvents()
  /// Finished segments that couldn't be read, and are reported.
  var passedOver: Set<UInt64> = []
  /// The entries that were quarantined last. Nil until it is needed.
  var knownRejects: DuplicateWindow?
  /// A commit that a full disk has interrupted.
  var pending: PendingCommit?
  /// What this run has marked as durable, and when on the monotonic clock.
  var mark: DurableMark?
  var markedAt: Duration?
  /// Gaps that are recorded and not yet reported to the caller.
  var unreportedGaps: [Gap] = []
  /// The newest of Box's times that a checkpoint has brought, and when that was on the monotonic clock.
  var boxClock: (time: BoxTime, at: Duration)?
  /// On the monotonic clock, when the limits were last applied.
  var limitsAppliedAt: Duration

  /// Opens the stream's directories, and makes what is missing.
  init(_ setup: StreamSpool.Setup) throws(StoreFailure) {
    self.setup = setup
    limitsAppliedAt = setup.clock.monotonic() - .seconds(60)
    files = try StreamFiles(making: setup.location)
    segmentLog = LineLog(SegmentEntry.fileName, in: files.spool)
    gapLog = LineLog(GapLine.fileName, in: files.spool)
    quarantineLog = LineLog(QuarantineLine.fileName, in: files.spool)
  }

  /// Records the start of a stream.
  mutating func begin(at checkpoint: Checkpoint) throws(StoreFailure) {
    // The file with its two blocks is on disk before the first record. A crash: a first start again.
    if position == nil {
      position = SavedPosition(file: try files.madePosition(), record: record(of: checkpoint, known: .recent))
    } else {
      try position?.file.reassert()
    }
    try save(checkpoint)
    // A crash here: the record alone shows that the stream has begun; recovery adds the line.
    // A stream whose position was set to `now` has its line already.
    if try !segmentLog.hasContent() { try writeStartLine(checkpoint.position) }
  }

  /// Writes the position record for what is durable now.
  /// - Parameters:
  ///   - durable: false leaves the sync to a later write.
  ///   - isAfterNewEvents: the checkpoint is after events that were new.
  mutating func save(
    _ checkpoint: Checkpoint, durable: Bool = true, isAfterNewEvents: Bool = false
  ) throws(StoreFailure) {
    let saved = try requireBegun().record
    var known = saved.known
    // Caught up since: everything the position was before has been read again.
    if let confirmedAt = checkpoint.confirmedAt, confirmedAt != saved.confirmedAt { known = .recent }
    // So has a short tail, or nearly; the window of the newest events is enough for it.
    if isAfterNewEvents, !needsFullWindow { known = .recent }
    try write(record(of: checkpoint, known: known), durable: durable)
    if let time = checkpoint.continuousAt, time != saved.checkpoint.continuousAt {
      boxClock = (time, setup.clock.monotonic())
    }
    let kept = keptEvents()
    if known == .recent, window?.capacity == .max { window?.resize(to: kept) }
  }

  /// What the position file must hold for the spool as it is now.
  func record(of checkpoint: Checkpoint, known: PositionRecord.Known) -> PositionRecord {
    PositionRecord(
      checkpoint: checkpoint, ordinal: ordinal, segment: active?.ordinal ?? ordinal,
      offset: active?.size ?? 0, boot: setup.bootID, feed: setup.location.feed.digest, known: known,
      parts: setup.location.feed.parts, owner: owner, accepted: (active?.size ?? 0) > 0 ? nil : accepted)
  }

  /// Before anything that was read is stored: the sign-in may be another user's than the one the position is from.
  mutating func checkOwner() throws(StoreFailure) {
    guard let now = setup.owner() else { return }
    if let owner, owner != now {
      throw setup.location.foreign(
        "its position", "it was read with the sign-in of \(owner), which is now that of \(now)")
    }
    owner = now
  }

  mutating func write(_ record: PositionRecord, durable: Bool = true) throws(StoreFailure) {
    var saved = try requireBegun()
    // Someone may have moved, replaced or deleted it; the record is known.
    if try !saved.file.isInPlace(as: PositionRecord.fileName) {
      let file = try files.madePosition()
      saved.file.close()
      saved.file = file
      position = saved
    }
    try saved.file.write(record.text, durable: durable)
    saved.record = record
    position = saved
  }

  /// The saved position of a stream that has begun.
  func requireBegun() throws(StoreFailure) -> SavedPosition {
    guard let position else { throw setup.misuse("the stream has not begun") }
    return position
  }

  mutating func writeStartLine(_ position: ReadPosition) throws(StoreFailure) {
    try segmentLog.append(
      SegmentEntry.startLine(at: position, feed: setup.location.feed.digest, time: setup.clock.wallSeconds()))
  }

  /// Moves everything from `offset` on out of a segment, into the state directory; returns the copy's name.
  @discardableResult
  func cut(
    _ file: DiskFile, of segment: UInt64, from offset: Int, size: Int
  ) throws(StoreFailure) -> String {
    let sequence = position?.file.sequence ?? 0
    return try files.cut(file, from: offset, size: size, segment: segment, sequence: sequence)
  }

  /// Records a gap, unless one of the last lines of `gaps.ndjson` is this gap: a run that follows a crash
  /// finds it again.
  mutating func recordOnce(_ gap: Gap, end: SpoolEnd? = nil, unknownIDs: UInt64 = 0) throws(StoreFailure) {
    // Before a line is trusted to be on disk.
    try gapLog.repairTail()
    let line = GapLine(gap: gap, ordinal: ordinal, end: end, unknownIDs: unknownIDs)
    let isRecorded = try gapLog.tail().contains { GapLine(parsing: $0)?.isSame(as: line) == true }
    guard !isRecorded else { return }
    try gapLog.append(line.line(at: setup.clock.wallSeconds()))
  }

  /// Records that the spool ends before what the record guarantees: someone has emptied or deleted the newest
  /// segment, or restored an older spool.
  /// - Parameters:
  ///   - entry: of the segment that was the newest one, or is now: whatever is missing came after its position.
  ///   - end: where the spool ends now, if a recovery has found it.
  mutating func recordShortened(after entry: SegmentEntry?, end: SpoolEnd? = nil) throws(StoreFailure) {
    let checkpoint = try requireBegun().record.checkpoint
    let gap = Gap(
      cause: .spoolShortened, from: entry?.position, to: checkpoint.position, since: entry?.confirmedAt,
      until: now(atLeast: checkpoint.continuousAt))
    try recordOnce(gap, end: end)
    unreportedGaps.append(gap)
  }

  /// The local time, for the end of a gap that is found without an answer of Box.
  func now(atLeast time: BoxTime?) -> BoxTime {
    let now = BoxTime(secondsSince1970: setup.clock.wallSeconds())
    return time.map { max($0, now) } ?? now
  }

  /// The newest line of `segments.ndjson` for this feed that isn't after an ordinal.
  func entry(upTo ordinal: UInt64) throws(StoreFailure) -> SegmentEntry? {
    try segmentLog.tail().reversed().lazy.compactMap { SegmentEntry(parsing: $0) }
      .first { $0.ordinal <= ordinal && $0.feed == setup.location.feed.digest }
  }

  /// The gaps that the answer to the present call reports.
  mutating func takeUnreportedGaps() -> [Gap] {
    defer { unreportedGaps = [] }
    return unreportedGaps
  }

  func close() {
    active?.file.close()
    pending?.rotation?.file?.close()
    position?.file.close()
    files.close()
  }
}
