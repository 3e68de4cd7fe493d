import BoxEvents

/// A recovery without a record, or with one that is older than the spool.
extension SpoolRecovery {
  /// Goes on from the last line of `segments.ndjson`: its position is read again, the events since are known.
  mutating func rebuild(
    from segments: [UInt64], because reason: String
  ) throws(StoreFailure) -> Recovery {
    try spool.segmentLog.repairTail()
    guard let entry = SegmentEntry.last(in: try spool.segmentLog.tail()) else {
      throw blocked("\(reason), and segments.ndjson records no position to go on from")
    }
    guard entry.feed == location.feed.digest else {
      throw location.foreign(entry)
    }
    notes.append("\(reason); reading starts again at the beginning of the last segment")

    let checkpoint = Checkpoint(position: entry.position, confirmedAt: entry.confirmedAt)
    let known = PositionRecord.Known.since(entry.ordinal)
    spool.position?.file.close()
    spool.position = nil
    spool.ordinal = entry.ordinal
    spool.position = OpenSpool.SavedPosition(
      file: try spool.files.madePosition(), record: spool.record(of: checkpoint, known: known))
    if let newest = segments.last, newest >= entry.ordinal {
      spool.ordinal = newest
      try openIntact(newest)
    }
    try acceptEnd(of: segments)
    let gap = Gap(
      cause: .stateLost, from: entry.position, to: nil, since: entry.confirmedAt,
      until: spool.now(atLeast: entry.confirmedAt))
    let unknown = try unknownIDs(before: spool.active?.ordinal ?? entry.ordinal, segments)
    if unknown > 0 {
      notes.append(
        "\(unknown) of the last events before the newest segment are in segments that are compressed, deleted or "
          + "unreadable, and their ids are lost: those that Box serves again come twice")
    }
    try spool.recordOnce(gap, unknownIDs: unknown)
    spool.unreportedGaps.append(gap)
    spool.firstOrdinal = spool.ordinal
    try spool.write(spool.record(of: checkpoint, known: known))
    return Recovery(checkpoint: checkpoint, ordinal: spool.ordinal, rebuilt: true)
  }

  /// How many of the newest events before the newest segment can't be known by their ids any more: `known_ids` was lost
  /// too, or cleared, and their segments aren't there to be read.
  private func unknownIDs(before first: UInt64, _ segments: [UInt64]) throws(StoreFailure) -> UInt64 {
    let kept = UInt64(clamping: spool.setup.limits.knownEvents)
    let oldest = first > kept ? first - kept : 0
    var begun = Set(try spool.segmentLog.tail().compactMap { SegmentEntry(parsing: $0)?.ordinal })
    begun.formUnion(segments)
    begun.formUnion(try spool.files.spool.names().compactMap(SegmentName.ordinalOfFinished))
    let present = Set(segments)
    var (end, count) = (first, UInt64(0))
    for ordinal in begun.filter({ $0 < first }).sorted(by: >) where end > oldest {
      let name = SegmentName.text(ordinal)
      let status = present.contains(ordinal) ? try spool.files.spool.status(of: name) : nil
      if status?.kind != .file { count += end - max(ordinal, oldest) }
      end = ordinal
    }
    if end > oldest { count += end - oldest }
    let known = UInt64(try KnownIDs.read(in: spool.files.state).count)
    return count > known ? count - known : 0
  }

  /// Makes a segment the active one when no record tells how much of it is durable: its lines count as far
  /// as they are events, written again and synced.
  private mutating func openIntact(_ segment: UInt64) throws(StoreFailure) {
    let file = try adopt(segment, size: 0)
    let size = try file.size()
    let intact = try proven(file, in: 0..<size)
    spool.active?.size = intact.end
    spool.ordinal += intact.count
    if intact.end < size { try cutUnproven(file, segment: segment, from: intact.end, size: size) }
  }
}
