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
      throw location.foreign("the last line of segments.ndjson", "")
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
    try spool.recordOnce(gap)
    spool.unreportedGaps.append(gap)
    spool.firstOrdinal = spool.ordinal
    try spool.write(spool.record(of: checkpoint, known: known))
    return Recovery(checkpoint: checkpoint, ordinal: spool.ordinal, rebuilt: true)
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
