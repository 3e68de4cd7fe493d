import BoxEvents

/// Making whole what an earlier run has left.
extension StreamSpool {
  func recovered() throws(StoreFailure) -> Recovery {
    let files = try StreamFiles(
      making: location.name, spoolRoot: location.spoolRoot, stateRoot: location.stateRoot)
    self.files = files
    segmentLog = LineLog(SegmentEntry.fileName, in: files.spool)
    gapLog = LineLog(GapLine.fileName, in: files.spool)
    quarantine = LineLog(QuarantineLine.fileName, in: files.spool)
    let segments = try files.segments()
    positionFile = try files.position()

    let found = positionFile?.content.flatMap { PositionRecord(parsing: $0) }
    let isAnnounced = try segmentLog?.hasContent() == true
    var recovery =
      if let found {
        try resumed(found, segments, isAnnounced: isAnnounced)
      } else if segments.isEmpty, !isAnnounced {
        // No record, no start line, no segment: this stream has never run.
        Recovery(checkpoint: nil, ordinal: 0)
      } else {
        try rebuilt(segments, because: "the position file has no whole record")
      }
    if let active { try files.spool.pointLink(SegmentName.link, at: SegmentName.text(active.ordinal)) }
    if found?.known == .all, let gap = try lastMove() { unreported.append(gap) }
    recovery.gaps = takeUnreported()
    recovery.recordedGaps = try gapLog?.lineCount() ?? 0
    return recovery
  }

  // MARK: With a record

  private func resumed(
    _ found: PositionRecord, _ segments: [UInt64], isAnnounced: Bool
  ) throws(StoreFailure) -> Recovery {
    try require(found.feed == location.feed.digest, "its position belongs to another feed")
    let newer = segments.filter { $0 > found.segment }
    // A segment is begun only at the record's end, and the next record is in it. Anything else that is
    // newer than the newest record means that records are lost.
    guard newer.isEmpty || newer == [found.ordinal] else {
      return try rebuilt(segments, because: "the position file is older than the spool")
    }
    try positionFile?.reassert()
    if !isAnnounced { try writeStartLine(found.position) }
    record = found
    ordinal = found.ordinal
    var notes: [String] = []
    if !newer.isEmpty {
      try trim(found, &notes)
      try open(found.ordinal, from: 0, found, &notes)
    } else if segments.contains(found.segment) {
      try openRecorded(found, &notes)
    } else if found.offset > 0 {
      try noteShortened(found, "the newest segment \(SegmentName.text(found.segment)) is gone", &notes)
    }
    try updateRecord(found)
    return Recovery(checkpoint: found.checkpoint, ordinal: ordinal, notes: notes)
  }

  /// Writes the record again if it would not say what is so now: other bytes, another boot.
  private func updateRecord(_ found: PositionRecord) throws(StoreFailure) {
    var next = found
    (next.ordinal, next.boot) = (ordinal, bootID)
    (next.segment, next.offset) = (active?.ordinal ?? ordinal, active?.size ?? 0)
    // These were served behind the record's position and will be served again. Counted from the first of
    // several crashes in a row: none of them has moved the position.
    if ordinal > found.ordinal, found.known == .recent { next.known = .since(found.ordinal) }
    firstOrdinal = ordinal
    if next != found { try write(next) }
  }

  /// The segment that the record speaks of, which is the newest.
  private func openRecorded(_ found: PositionRecord, _ notes: inout [String]) throws(StoreFailure) {
    let files = try opened()
    guard let file = try files.spool.file(SegmentName.text(found.segment), writing: true) else { return }
    let size: Int
    do throws(StoreFailure) {
      size = try file.size()
      guard try endsLine(file, at: found.offset) else {
        try cutPartialLine(file, size: size, found, &notes)
        file.close()
        return try noteShortened(
          found, "\(SegmentName.text(found.segment)) has \(size) bytes, and \(found.offset) were whole lines",
          &notes)
      }
    } catch {
      file.close()
      throw error
    }
    file.close()
    try open(found.segment, from: found.offset, found, &notes)
  }

  /// Makes a segment the active one, after checking what stands behind `offset`.
  private func open(
    _ segment: UInt64, from offset: Int, _ found: PositionRecord, _ notes: inout [String]
  ) throws(StoreFailure) {
    let files = try opened()
    guard let file = try files.spool.file(SegmentName.text(segment), writing: true) else {
      throw StoreFailure(.io, "\(files.spool.path(of: SegmentName.text(segment))) vanished")
    }
    try adopt(file, segment: segment, size: offset)
    let size = try file.size()
    // An earlier run may have cut it and not lived to sync the cut; after a power cut it would be back.
    guard size > offset else { return try file.synchronize() }
    if found.boot == bootID, !bootID.isEmpty {
      try keepTail(of: file, segment: segment, from: offset, size: size, &notes)
    } else {
      // Another boot: what was never synced may be stale, zeroed or out of order.
      let name = try files.cut(
        file, from: offset, size: size, segment: segment, sequence: positionFile?.sequence ?? 0)
      notes.append(
        "\(size - offset) bytes at the end of \(SegmentName.text(segment)) were written before the machine "
          + "went down and never proven; they were moved to \(name) and are fetched again.")
    }
  }

  /// Same boot: what was written is in the page cache, and a reader may have seen it. Its whole lines
  /// stay and count, after they have been written again and synced; a partial last line stays too.
  private func keepTail(
    of file: DiskFile, segment: UInt64, from offset: Int, size: Int, _ notes: inout [String]
  ) throws(StoreFailure) {
    let tail = try proven(file, in: offset..<size)
    active?.size = tail.end
    ordinal += tail.count
    if tail.count > 0 {
      notes.append("\(tail.count) events written by an earlier run and not yet acknowledged were kept.")
    }
    guard tail.end < size else { return }
    let rest = try file.bytes(in: tail.end..<size)
    if !rest.contains(0x0A), !rest.contains(0) {
      partialLine = rest
      notes.append("A line of \(rest.count) bytes is partial at the end of \(SegmentName.text(segment)).")
    } else {
      try cutUnproven(file, segment: segment, from: tail.end, size: size, &notes)
    }
  }

  /// Bytes of a finished segment behind the record: the next segment was begun where the record ends.
  private func trim(_ found: PositionRecord, _ notes: inout [String]) throws(StoreFailure) {
    let name = SegmentName.text(found.segment)
    guard let file = try opened().spool.file(name, writing: true) else { return }
    defer { file.close() }
    let size = try file.size()
    // An earlier run may have cut it and not lived to sync the cut.
    guard size > found.offset else { return try file.synchronize() }
    try cutUnproven(file, segment: found.segment, from: found.offset, size: size, &notes)
  }

  /// The spool ends before what the record guarantees: someone has emptied it. The position is still
  /// true, so the stream goes on from there, in a new segment named by the record's ordinal.
  private func noteShortened(
    _ found: PositionRecord, _ what: String, _ notes: inout [String]
  ) throws(StoreFailure) {
    try note(Gap(cause: .spoolShortened, from: nil, to: found.position, since: found.checkpoint.continuousAt))
    notes.append("The spool is shorter than the position file says: \(what).")
  }

  // MARK: Without a record

  /// Goes on from the last line of `segments.ndjson`: its position is read again, and the events since
  /// are known by their ids.
  private func rebuilt(
    _ segments: [UInt64], because reason: String
  ) throws(StoreFailure) -> Recovery {
    try segmentLog?.repairTail()
    let entry = StreamFiles.lastEntry(try segmentLog?.tail() ?? [])
    guard let entry else {
      throw blocked("\(reason), and segments.ndjson has no line to go on from")
    }
    try require(
      entry.feed == location.feed.digest, "the last line of segments.ndjson belongs to another feed")

    positionFile?.close()
    positionFile = try opened().madePosition()
    var notes = ["Because \(reason), reading starts again at the beginning of the last segment."]
    ordinal = entry.ordinal
    if let newest = segments.last, newest >= entry.ordinal {
      ordinal = newest
      try openIntact(newest, &notes)
    }
    try note(Gap(cause: .stateLost, from: entry.position, to: nil, since: entry.confirmedAt))
    let checkpoint = Checkpoint(position: entry.position, confirmedAt: entry.confirmedAt)
    firstOrdinal = ordinal
    try write(
      PositionRecord(
        checkpoint: checkpoint, ordinal: ordinal, segment: active?.ordinal ?? ordinal,
        offset: active?.size ?? 0,
        boot: bootID, feed: location.feed.digest, known: .since(entry.ordinal)))
    return Recovery(checkpoint: checkpoint, ordinal: ordinal, notes: notes, rebuilt: true)
  }

  /// Makes a segment the active one when no record says how much of it is durable: its lines count as far
  /// as they are events, written again and synced.
  private func openIntact(_ segment: UInt64, _ notes: inout [String]) throws(StoreFailure) {
    let name = SegmentName.text(segment)
    guard let file = try opened().spool.file(name, writing: true) else { return }
    try adopt(file, segment: segment, size: 0)
    let size = try file.size()
    let whole = try proven(file, in: 0..<size)
    active?.size = whole.end
    ordinal += whole.count
    if whole.end < size { try cutUnproven(file, segment: segment, from: whole.end, size: size, &notes) }
  }

  // MARK: Steps

  private func adopt(_ file: DiskFile, segment: UInt64, size: Int) throws(StoreFailure) {
    let now = clock.wallSeconds()
    active = ActiveSegment(file: file, ordinal: segment, size: size, begunAt: now)
    let lines = try segmentLog?.tail() ?? []
    guard let entry = StreamFiles.lastEntry(lines), entry.ordinal == segment, entry.begunAt <= now else {
      lastRotation = clock.monotonic()
      return
    }
    active?.begunAt = entry.begunAt
    lastRotation = clock.monotonic() - .seconds(now - entry.begunAt)
  }

  /// Writes a range again, syncs it, and counts its events up to the first line that is none.
  private func proven(
    _ file: DiskFile, in range: Range<Int>
  ) throws(StoreFailure) -> (end: Int, count: UInt64) {
    // The line in segments.ndjson comes before the segment's first event; so does its being on disk.
    try segmentLog?.repairTail()
    try file.rewrite(range)
    try file.synchronize()
    var count: UInt64 = 0
    let end = try LineScan.lines(of: file, in: range, progress: progress) {
      line, _ throws(StoreFailure) in
      guard EventLine.identity(of: line) != nil else { return false }
      count += 1
      return true
    }
    return (end, count)
  }

  private func cutUnproven(
    _ file: DiskFile, segment: UInt64, from offset: Int, size: Int, _ notes: inout [String]
  ) throws(StoreFailure) {
    let name = try opened().cut(
      file, from: offset, size: size, segment: segment, sequence: positionFile?.sequence ?? 0)
    notes.append("\(size - offset) bytes at the end of \(SegmentName.text(segment)) were moved to \(name).")
  }

  /// Whether a line ends right before an offset. If not, the file is shorter than it was, or someone has
  /// changed it, and what is appended there would end up in the middle of a line.
  private func endsLine(_ file: DiskFile, at offset: Int) throws(StoreFailure) -> Bool {
    if offset == 0 { return true }
    return try file.bytes(in: (offset - 1)..<offset) == [0x0A]
  }

  /// A segment that was shortened in the middle of a line, or changed, ends with its last whole one.
  private func cutPartialLine(
    _ file: DiskFile, size: Int, _ found: PositionRecord, _ notes: inout [String]
  ) throws(StoreFailure) {
    let end = try LineScan.lines(of: file, in: 0..<min(size, found.offset)) { _, _ in true }
    // An earlier run may have cut it and not lived to sync the cut.
    guard end < size else { return try file.synchronize() }
    try cutUnproven(file, segment: found.segment, from: end, size: size, &notes)
  }

  /// Records a gap, unless it stands among the last lines of `gaps.ndjson` already: a run that was cut off
  /// finds it again.
  func recordOnce(_ gap: Gap) throws(StoreFailure) {
    // Before a line is trusted to be on disk.
    try gapLog?.repairTail()
    let identity = GapLine.identity(of: gap, ordinal: ordinal)
    let isThere = try gapLog?.tail().contains { GapLine.identity(on: $0)?.isSame(as: identity) == true }
    guard isThere != true else { return }
    try gapLog?.append(GapLine.line(gap, ordinal: ordinal, time: clock.wallSeconds()))
  }

  /// Records a gap that the store itself has found, to be told of by the next answer that can.
  func note(_ gap: Gap) throws(StoreFailure) {
    try recordOnce(gap)
    unreported.append(gap)
  }

  /// The gaps that the present call's answer tells of.
  func takeUnreported() -> [Gap] {
    defer { unreported = [] }
    return unreported
  }

  /// The gap of the last `position set`.
  private func lastMove() throws(StoreFailure) -> Gap? {
    try gapLog?.tail().reversed().lazy.compactMap { GapLine.gap(on: $0) }.first { $0.cause == .positionSet }
  }

  private func require(_ condition: Bool, _ message: String) throws(StoreFailure) {
    if !condition { throw blocked(message) }
  }

  private func blocked(_ message: String) -> StoreFailure {
    StoreFailure(
      .blocked, "the stream \(location.name) can't go on: \(message)",
      hint: "Stop box-eventd and say where to go on: box-eventd position set \(location.name) "
        + "now|oldest|POSITION. Events in the spool are not fetched twice.")
  }
}
