import BoxEvents

/// Recovers what an earlier run has left: one recovery's steps, which end in an ``OpenSpool``.
///
/// The newest intact position record is true. What the newest segment holds after the record's offset was
/// written and never acknowledged: it counts only after it has been written again and synced, or it is moved
/// aside. Each step may be interrupted by a crash; the next recovery begins again and finds the same.
struct SpoolRecovery {
  var spool: OpenSpool
  /// What was done, one message each, for the log.
  var notes: [String] = []
  /// How the spool is shorter than the record.
  private var shortened: String?

  var location: StreamSpool.Location { spool.setup.location }

  /// Opens a stream's spool.
  /// - Throws: `blocked` where nothing on the disk proves where to go on.
  static func recover(_ setup: StreamSpool.Setup) throws(StoreFailure) -> (OpenSpool, Recovery) {
    var recovery = SpoolRecovery(spool: try OpenSpool(setup))
    do throws(StoreFailure) {
      let outcome = try recovery.run()
      return (recovery.spool, outcome)
    } catch {
      recovery.spool.close()
      throw error
    }
  }

  private mutating func run() throws(StoreFailure) -> Recovery {
    try spool.files.check()
    if let file = try spool.files.position() {
      if let record = file.content.flatMap({ PositionRecord(parsing: $0) }) {
        spool.position = OpenSpool.SavedPosition(file: file, record: record)
      } else {
        file.close()
      }
    }
    let found = spool.position?.record
    let (segments, copies) = try spool.files.withoutCopies(
      try spool.files.spool.segments(), after: found.map { $0.accepted?.segment ?? $0.segment })
    notes = copies
    let isAnnounced = try spool.segmentLog.hasContent()
    var recovery =
      if let found {
        try resume(from: found, segments, isAnnounced: isAnnounced)
      } else if segments.isEmpty, !isAnnounced {
        // No record, no start line, no segment: this stream has never run.
        Recovery(checkpoint: nil, ordinal: 0)
      } else { try rebuild(from: segments, because: "the position file is missing or corrupt") }
    if let active = spool.active {
      let target = SegmentName.text(active.ordinal)
      if try !spool.files.spool.pointLink(SegmentName.link, at: target) {
        notes.append("\(SegmentName.link) is missing: the spool's file system doesn't have symbolic links")
      }
    }
    if found?.known == .all {
      // An operator has moved the position, and the stream hasn't caught up since: the move is reported.
      let gaps = try spool.gapLog.tail().lazy.compactMap { GapLine(parsing: $0)?.gap }
      if let move = gaps.last(where: { $0.cause == .positionSet }) { spool.unreportedGaps.append(move) }
    }
    recovery.notes = notes
    recovery.gaps = spool.takeUnreportedGaps()
    recovery.recordedGaps = try spool.gapLog.lineCount()
    return recovery
  }

  // MARK: With a record

  private mutating func resume(
    from found: PositionRecord, _ segments: [UInt64], isAnnounced: Bool
  ) throws(StoreFailure) -> Recovery {
    guard found.feed == location.feed.digest else {
      if let foreign = try location.foreign(found, segments, spool.segmentLog) { throw foreign }
      return Recovery(checkpoint: nil, ordinal: 0)
    }
    spool.owner = found.owner
    let newer = segments.filter { $0 > found.segment }
    // A new segment begins with the event at the newest record's ordinal, and the next record names it. A crash
    // between the two leaves one newer segment, with that ordinal as its name. Any other newer segment means that
    // records are lost.
    guard newer.isEmpty || newer == [found.ordinal] else {
      // So may known_ids be, and name events that the spool doesn't have.
      if try !KnownIDs.read(in: spool.files.state).isEmpty { try KnownIDs.write([], in: spool.files.state) }
      return try rebuild(from: segments, because: "the position file is older than the spool")
    }
    try spool.position?.file.reassert()
    if !isAnnounced { try spool.writeStartLine(found.position) }
    spool.ordinal = found.ordinal
    if !newer.isEmpty {
      try trim(found)
      try open(found.ordinal, from: 0, boot: found.boot)
    } else if segments.contains(found.segment) {
      try openRecorded(found)
    } else if found.offset > 0 {
      shortened = "the newest segment \(SegmentName.text(found.segment)) is missing"
    } else if let end = found.accepted {
      shortened = try missing(of: end)
    }
    try acceptEnd(of: segments)
    var (checkpoint, known) = (found.checkpoint, found.known)
    if let shortened {
      notes.append("the spool is shorter than the position file records: \(shortened)")
      let entry = try spool.entry(upTo: segments.last ?? found.segment)
      try spool.recordShortened(after: entry, end: spool.accepted ?? .nothing)
      try forgetLostIDs(from: entry?.ordinal ?? 0, found)
      if let entry { (checkpoint.position, known) = older(entry, found) }
    }
    spool.firstOrdinal = spool.ordinal
    // The kept events were served after the record's position and will be served again. After several crashes
    // in a row they count from the first one, since none of them has moved the position.
    if spool.ordinal > found.ordinal, known == .recent { known = .since(found.ordinal) }
    let next = spool.record(of: checkpoint, known: known)
    if next != found { try spool.write(next) }
    return Recovery(checkpoint: checkpoint, ordinal: spool.ordinal)
  }

  /// Opens the segment that the record names, which is the newest.
  private mutating func openRecorded(_ found: PositionRecord) throws(StoreFailure) {
    let name = SegmentName.text(found.segment)
    if let size = try cutShortened(name, found) {
      shortened = "\(name) has \(size) bytes, and \(found.offset) were complete lines"
    } else {
      try open(found.segment, from: found.offset, boot: found.boot)
    }
  }

  /// Makes a segment the active one, after checking what it holds after `offset`.
  /// - Parameter boot: in which the record was written.
  private mutating func open(_ segment: UInt64, from offset: Int, boot: String) throws(StoreFailure) {
    let file = try adopt(segment, size: offset)
    let size = try file.size()
    // An earlier run may have cut it and ended before the sync; after a power cut it would be back.
    guard size > offset else { return try file.synchronize() }
    if boot == spool.setup.bootID, !boot.isEmpty {
      try keepTail(of: file, segment: segment, from: offset, size: size)
    } else {
      // Another boot: what was never synced may be stale, zeroed or out of order.
      let end = try keepMarked(of: file, segment: segment, from: offset, size: size)
      guard size > end else { return }
      let name = try spool.cut(file, of: segment, from: end, size: size)
      notes.append(
        "\(size - end) bytes at the end of \(SegmentName.text(segment)) were written before the machine "
          + "went down and never synced; they were moved to \(name) and are fetched again")
    }
  }

  /// Keeps what the spool's own mark proves to have been durable: the record is older, from a backup perhaps.
  /// - Returns: where that ends.
  private mutating func keepMarked(
    of file: DiskFile, segment: UInt64, from offset: Int, size: Int
  ) throws(StoreFailure) -> Int {
    guard let mark = try DurableMark.read(in: spool.files.spool), mark.segment == segment,
      mark.offset > offset, mark.offset <= size, mark.ordinal > spool.ordinal
    else { return offset }
    let tail = try proven(file, in: offset..<mark.offset)
    guard tail.end == mark.offset, tail.count == mark.ordinal - spool.ordinal else { return offset }
    spool.active?.size = tail.end
    spool.ordinal = mark.ordinal
    notes.append(
      "the position file is older than the spool: \(tail.count) events after it were durable and stay, and "
        + "reading starts again at its position")
    return tail.end
  }

  /// Same boot: what was written is in the page cache, and a reader may have seen it. Its complete lines
  /// stay and count, after they have been written again and synced; a partial last line stays too.
  private mutating func keepTail(
    of file: DiskFile, segment: UInt64, from offset: Int, size: Int
  ) throws(StoreFailure) {
    let tail = try proven(file, in: offset..<size)
    spool.active?.size = tail.end
    spool.ordinal += tail.count
    if tail.count > 0 {
      notes.append("\(tail.count) events written by an earlier run and not yet acknowledged were kept")
    }
    guard tail.end < size else { return }
    let rest = try file.bytes(in: tail.end..<size)
    if !rest.contains(0x0A), !rest.contains(0) {
      spool.active?.partialLine = rest
      notes.append("\(SegmentName.text(segment)) ends with a partial line of \(rest.count) bytes")
    } else {
      try cutUnproven(file, segment: segment, from: tail.end, size: size)
    }
  }

  /// Cuts what a finished segment holds after the record: the next segment was begun where the record ends.
  private mutating func trim(_ found: PositionRecord) throws(StoreFailure) {
    let name = SegmentName.text(found.segment)
    guard let file = try spool.files.spool.file(name, writing: true) else { return }
    defer { file.close() }
    try cutUnproven(file, segment: found.segment, from: found.offset, size: file.size())
  }

  // MARK: Steps

  /// Opens a segment as the active one, `size` bytes of which count so far.
  mutating func adopt(_ segment: UInt64, size: Int) throws(StoreFailure) -> DiskFile {
    let now = spool.setup.clock.wallSeconds()
    let entry = SegmentEntry.last(in: try spool.segmentLog.tail())
    let begunAt = if let entry, entry.ordinal == segment { min(entry.begunAt, now) } else { now }
    let name = SegmentName.text(segment)
    guard let file = try spool.files.spool.file(name, writing: true) else {
      throw StoreFailure(.io, "\(spool.files.spool.path(of: name)) was deleted during the recovery")
    }
    spool.active = OpenSpool.ActiveSegment(
      file: file, ordinal: segment, begunAt: begunAt,
      begunAtMonotonic: spool.setup.clock.monotonic() - .seconds(now - begunAt), size: size)
    return file
  }

  mutating func proven(
    _ file: DiskFile, in range: Range<Int>
  ) throws(StoreFailure) -> (end: Int, count: UInt64) {
    // The line in segments.ndjson comes before the segment's first event; so does its being on disk.
    try spool.segmentLog.repairTail()
    return try file.provenEvents(in: range, progress: spool.setup.progress)
  }

  mutating func cutUnproven(
    _ file: DiskFile, segment: UInt64, from offset: Int, size: Int
  ) throws(StoreFailure) {
    // An earlier run may have cut it and ended before the sync.
    guard size > offset else { return try file.synchronize() }
    let name = try spool.cut(file, of: segment, from: offset, size: size)
    notes.append("\(size - offset) bytes at the end of \(SegmentName.text(segment)) were moved to \(name)")
  }

  func blocked(_ message: String) -> StoreFailure {
    StoreFailure(
      .blocked, "the stream \(location.name) cannot go on: \(message)",
      hint: "Stop box-eventd, then run: \(location.setPosition) "
        + "Events in the spool are not fetched twice.")
  }
}
