package import BoxEvents

/// One stream while the daemon is stopped: its position is read, and moved by an operator.
///
/// The caller holds both directories' locks while it moves one.
package struct StoppedStream: Sendable {
  private let location: StreamSpool.Location
  private let bootID: String
  private let clock: SpoolClock

  package init(_ location: StreamSpool.Location, bootID: String, clock: SpoolClock = .system) {
    self.location = location
    self.bootID = bootID
    self.clock = clock
  }

  /// The newest intact record; nil if the position file is missing or corrupt. Changes nothing.
  package func position() throws(StoreFailure) -> PositionRecord? {
    guard let state = try location.stateRoot.subdirectory(location.name) else { return nil }
    defer { state.close() }
    return try .saved(in: state)
  }

  /// What the next start is blocked by where the position, or the evidence of it, is another feed's. Changes nothing.
  package func foreign() throws(StoreFailure) -> StoreFailure? {
    guard let spool = try location.spoolRoot.subdirectory(location.name) else { return nil }
    defer { spool.close() }
    let log = LineLog(SegmentEntry.fileName, in: spool)
    if let record = try position() {
      return record.feed == location.feed.digest
        ? nil : try location.foreign(record, spool.segments(), log)
    }
    let entry = SegmentEntry.last(in: try log.tail())
    return entry.flatMap { $0.feed == location.feed.digest ? nil : location.foreign($0) }
  }

  /// Moves the position, for the feed of the configuration. Every event still in the spool stays known
  /// until the stream has been caught up again, and the break is recorded as a gap.
  /// Also the way out for a stream that is blocked because its position was lost.
  package func set(to position: ReadPosition) throws(StoreFailure) -> PositionRecord {
    let files = try StreamFiles(making: location)
    defer { files.close() }
    var file = try files.madePosition()
    defer { file.close() }
    let old = file.content.flatMap { PositionRecord(parsing: $0) }
    let (segments, _) = try files.withoutCopies(
      try files.spool.segments(), after: old.map { $0.accepted?.segment ?? $0.segment })
    let next = try moved(old, to: position, files, segments)

    var log = LineLog(SegmentEntry.fileName, in: files.spool)
    let isAnnounced = try log.hasContent()
    if old != nil || !segments.isEmpty || isAnnounced {
      // What the stream may miss is recorded before it goes on elsewhere.
      var gaps = LineLog(GapLine.fileName, in: files.spool)
      let gap = Gap(
        cause: .positionSet, from: old?.position, to: position, since: old?.checkpoint.continuousAt)
      try gaps.append(GapLine(gap: gap, ordinal: next.ordinal).line(at: clock.wallSeconds()))
    }
    try file.write(next.text)
    if !isAnnounced {
      try log.append(SegmentEntry.startLine(at: position, feed: next.feed, time: clock.wallSeconds()))
    }
    return next
  }

  /// The record with another position. Its ordinal, segment and offset stay if they belong to the newest
  /// segment: the next start checks what comes after. Otherwise they are read from the spool.
  private func moved(
    _ old: PositionRecord?, to position: ReadPosition, _ files: StreamFiles, _ segments: [UInt64]
  ) throws(StoreFailure) -> PositionRecord {
    let feed = location.feed.digest
    let newer = segments.filter { $0 > (old?.segment ?? 0) }
    if var next = old, newer.isEmpty || newer == [next.ordinal] {
      (next.checkpoint, next.feed, next.known) = (Checkpoint(position: position), feed, .all)
      (next.parts, next.owner) = (location.feed.parts, nil)
      return next
    }
    var next = PositionRecord(
      checkpoint: Checkpoint(position: position), ordinal: 0, segment: 0, offset: 0, boot: bootID, feed: feed,
      known: .all, parts: location.feed.parts)
    guard let newest = segments.last, let file = try files.spool.file(SegmentName.text(newest), writing: true)
    else {
      // The segments were deleted, but their ordinals are not used again.
      var log = LineLog(SegmentEntry.fileName, in: files.spool)
      try log.repairTail()
      next.ordinal = SegmentEntry.last(in: try log.tail())?.ordinal ?? 0
      next.segment = next.ordinal
      return next
    }
    defer { file.close() }
    let events = try file.provenEvents(in: 0..<file.size())
    (next.segment, next.ordinal, next.offset) = (newest, newest + events.count, events.end)
    return next
  }
}
