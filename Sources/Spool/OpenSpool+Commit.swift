import BoxEvents

/// The way of a batch to the disk.
///
/// The system calls of one commit, in this order, and what a crash right after each leaves. Steps 2 to 5 only
/// where a new segment begins. A full disk interrupts at any of them; the next call goes on there.
/// Before 2, bytes that don't belong to the segment are copied to `aside-*` and cut off (`ftruncate`,
/// `fdatasync`): see `checkActive` and `continuesPartialLine`. At the end, `deleteOverLimits` unlinks finished
/// segments.
///
///     1. quarantine.ndjson   pwrite, fdatasync   a line for each reject: known when Box serves it again.
///     2. .known_ids          pwrite, fdatasync,  the newest ids in a file of their own: the finished segment
///                            rename, fsync dir   may be deleted from now on. Until it is, both files have them.
///     3. segments.ndjson     pwrite, fdatasync   a line without a segment. Should the position file be lost,
///                                                its position is the one to go on from.
///     4. events-N.ndjson     open, fsync dir     an empty segment. Its name is the record's ordinal, so
///                                                recovery opens it, and the next commit writes to it.
///     5. current             symlink, rename     as after 4; recovery sets the link.
///     6. events-N.ndjson     pwrite              bytes after the record's offset, perhaps a partial line.
///                                                Recovery keeps them (same boot) or moves them aside.
///     7. events-N.ndjson     fdatasync           durable, counted and visible. Recovery as after 6; the page is
///                                                read again, and the events that were kept are known.
///     8. stream_position     pwrite              perhaps a corrupt block: the other one is intact, as after 7.
///     9. stream_position     fdatasync           acknowledged: reading goes on after these events.
///    10. .durable            pwrite, fdatasync   at most every 10 s: the spool's own word for what is durable.
extension OpenSpool {
  mutating func commit(_ batch: EventBatch, at checkpoint: Checkpoint) throws(StoreFailure) -> Committed {
    _ = try requireBegun()
    if pending?.batch != batch || pending?.checkpoint != checkpoint {
      try finishPending()
      pending = try prepared(batch, checkpoint)
    }
    var done = try finishPending()
    done.gaps = takeUnreportedGaps()
    return done
  }

  /// Takes the pending commit to its end, or to where the disk is full.
  @discardableResult mutating func finishPending() throws(StoreFailure) -> Committed {
    guard var commit = pending else { return Committed(events: 0, bytes: 0, ordinal: ordinal) }
    pending = nil
    do throws(StoreFailure) {
      try finish(&commit)
    } catch {
      pending = commit
      throw error
    }
    let (events, bytes) = (commit.identities.count, commit.lines.count)
    let done = Committed(
      events: commit.kept.events + events, bytes: commit.kept.bytes + bytes, ordinal: ordinal)
    // Its buffer serves the next commit, unless a huge page has made it huge.
    if commit.lines.capacity > setup.thread.scratch.capacity, commit.lines.capacity <= 4 << 20 {
      swap(&commit.lines, &setup.thread.scratch)
    }
    keepLink()
    deleteOverLimits()
    return done
  }

  private mutating func finish(_ commit: inout PendingCommit) throws(StoreFailure) {
    // Step 1.
    while let reject = commit.rejects.last {
      try quarantine(reject)
      commit.rejects.removeLast()
    }
    let hasEvents = !commit.identities.isEmpty
    if hasEvents, !commit.isDurable {
      // Steps 2 to 5.
      if !commit.hasSegment {
        try provideSegment(for: &commit)
        commit.hasSegment = true
      }
      // Steps 6 and 7.
      try append(&commit)
      commit.isDurable = true
    }
    // Steps 8 and 9.
    try save(commit.checkpoint, isAfterNewEvents: hasEvents)
    // Step 10.
    if hasEvents { try markDurable() }
  }

  // MARK: Steps 2 to 5: the segment

  /// Continues a partial line if the first event does; otherwise cuts it off, and rotates if it is time. Then
  /// ``append(_:)`` has only to write.
  private mutating func provideSegment(for commit: inout PendingCommit) throws(StoreFailure) {
    if commit.rotation == nil {
      try checkActive()
      if try continuesPartialLine(&commit) { return }
    }
    if commit.rotation != nil || active == nil || isRotationDue { try rotate(for: &commit) }
  }

  /// Someone may have emptied, deleted or moved the segment while it was being written, as logrotate does. Its events
  /// are gone, and what is appended to it would be too: a gap, and a new segment. What someone has added is moved aside.
  private mutating func checkActive() throws(StoreFailure) {
    guard let segment = active else { return }
    let size = segment.size + segment.partialLine.count
    // Gone also where a backup has given it another name, or another file has its name.
    var found = try files.spool.status(of: SegmentName.text(segment.ordinal))
    if found?.id != segment.file.id { found = nil }
    // Or where bytes have been inserted: what is cut off then would be events.
    if let longer = found, longer.size > size, try !endsWhereItDid(segment) { found = nil }
    guard let status = found, status.size >= size else {
      if segment.size > 0 { try recordShortened(after: entry(upTo: segment.ordinal)) }
      segment.file.close()
      active = nil
      return
    }
    if status.size > size {
      try cut(segment.file, of: segment.ordinal, from: size, size: status.size)
    }
  }

  private func endsWhereItDid(_ segment: ActiveSegment) throws(StoreFailure) -> Bool {
    let end = segment.end.isEmpty ? [UInt8(ascii: "\n")] : segment.end
    guard segment.size >= end.count else { return true }
    return try segment.file.bytes(in: segment.size - end.count..<segment.size) == end
  }

  /// An earlier run was cut off in the middle of a line. If the first new event begins with it, only the rest is
  /// written, and a reader of the first half sees the second; otherwise the partial line is moved aside.
  private mutating func continuesPartialLine(_ commit: inout PendingCommit) throws(StoreFailure) -> Bool {
    guard var segment = active, !segment.partialLine.isEmpty else { return false }
    let isContinued = commit.lines.starts(with: segment.partialLine)
    if isContinued {
      commit.written = segment.partialLine.count
    } else {
      try cut(
        segment.file, of: segment.ordinal, from: segment.size, size: segment.size + segment.partialLine.count)
    }
    segment.partialLine = []
    active = segment
    return isContinued
  }

  // MARK: Steps 6 and 7: the events

  private mutating func append(_ commit: inout PendingCommit) throws(StoreFailure) {
    guard var segment = active else { throw setup.misuse("the segment of a commit is not open") }
    try segment.file.write(commit.lines, at: segment.size, written: &commit.written)
    try segment.file.synchronize()
    recent.add(ordinal, at: setup.clock.monotonic())
    ordinal += UInt64(commit.identities.count)
    let kept = keptEvents()
    if window?.capacity != .max { window?.capacity = kept }
    for id in commit.identities { window?.insert(id) }
    segment.size += commit.lines.count
    // By index: `suffix` walks through the page.
    segment.end = Array(commit.lines[max(0, commit.lines.count - 64)...])
    active = segment
  }

  // MARK: Before and after

  /// Gathers what a batch has for the disk.
  mutating func prepared(
    _ batch: EventBatch, _ checkpoint: Checkpoint
  ) throws(StoreFailure) -> PendingCommit {
    var commit = PendingCommit(batch: batch, checkpoint: checkpoint)
    let (page, time) = (batch.page, setup.clock.wallSeconds())
    for index in batch.newRejects.reversed() where page.rejects.indices.contains(index) {
      let reject = page.rejects[index]
      let entry = page.bytes[reject.range]
      let line = QuarantineLine.line(entry, reason: reject.reason, readFrom: batch.readFrom, time: time)
      commit.rejects.append(.init(identity: QuarantineLine.identity(of: entry), line: line))
    }
    if !batch.new.isEmpty { try gather(batch, into: &commit) }
    return commit
  }

  /// Copies the new events' lines together for one write, without those that have become known meanwhile.
  private mutating func gather(_ batch: EventBatch, into commit: inout PendingCommit) throws(StoreFailure) {
    let window = try knownWindow()
    swap(&commit.lines, &setup.thread.scratch)
    commit.lines.removeAll(keepingCapacity: true)
    for index in batch.new where batch.page.events.indices.contains(index) {
      let event = batch.page.events[index]
      if window.contains(event.identity) { continue }
      commit.lines.append(contentsOf: batch.page.bytes[event.range])
      commit.lines.append(UInt8(ascii: "\n"))
      commit.identities.append(event.identity)
    }
  }
}

/// A commit on its way to the disk: after a full disk it goes on at the step, and the byte, where it stopped.
struct PendingCommit: Sendable {
  struct Reject: Sendable {
    var identity: EventIdentity
    var line: [UInt8]
  }

  let batch: EventBatch
  let checkpoint: Checkpoint
  /// Of the batch's new events, what an interruption has left durable: see ``OpenSpool/Interruption``.
  var kept = (events: 0, bytes: 0)
  /// Entries still to be quarantined, last one first.
  var rejects: [Reject] = []
  /// The new events' lines, newlines included.
  var lines: [UInt8] = []
  var identities: [EventIdentity] = []
  /// The segment that these lines begin, on its way to the disk.
  var rotation: Rotation?
  /// The segment for these lines is there.
  var hasSegment = false
  /// Bytes of `lines` that are in the file, not yet durable.
  var written = 0
  /// The lines are durable, counted and known.
  var isDurable = false
}

/// A new segment on its way to the disk.
struct Rotation: Sendable {
  /// Local seconds since 1970.
  let begunAt: Int64
  /// ``KnownIDs`` has the newest ids of the finished segment.
  var hasKnownIDs = false
  /// `segments.ndjson` has its line.
  var isAnnounced = false
  var file: DiskFile?
  /// Its directory entry is durable.
  var isNamed = false
}
