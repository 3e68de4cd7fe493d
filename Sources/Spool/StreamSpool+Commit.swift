import BoxEvents

/// The way of a batch to the disk. Each step says what a crash right after it leaves behind.
extension StreamSpool {
  /// Gathers what a batch has for the disk.
  func prepared(_ batch: EventBatch, _ checkpoint: Checkpoint) throws(StoreFailure) -> PendingCommit {
    var commit = PendingCommit(batch, checkpoint)
    let (page, time) = (batch.page, clock.wallSeconds())
    for index in batch.newRejects.reversed() where page.rejects.indices.contains(index) {
      let reject = page.rejects[index]
      let entry = page.bytes[reject.range]
      commit.rejects.append(
        PendingCommit.Reject(
          identity: QuarantineLine.identity(of: entry),
          line: QuarantineLine.line(
            entry, reason: reject.reason, readFrom: batch.readFrom, time: time)))
    }
    if !batch.new.isEmpty { try gather(batch, into: &commit) }
    return commit
  }

  /// Copies the new events' lines together, so that they are one write. What has become known since the
  /// batch was deduplicated stays out.
  private func gather(_ batch: EventBatch, into commit: inout PendingCommit) throws(StoreFailure) {
    let window = try knownWindow()
    swap(&commit.lines, &thread.scratch)
    commit.lines.removeAll(keepingCapacity: true)
    for index in batch.new where batch.page.events.indices.contains(index) {
      let event = batch.page.events[index]
      if window.contains(event.identity) { continue }
      commit.lines.append(contentsOf: batch.page.bytes[event.range])
      commit.lines.append(UInt8(ascii: "\n"))
      commit.identities.append(event.identity)
    }
  }

  /// Takes the pending commit to its end, or to where the disk is full.
  func finish() throws(StoreFailure) -> Committed {
    guard let given = pending else { return Committed(events: 0, bytes: 0, ordinal: ordinal) }
    let done = (events: given.identities.count, bytes: given.lines.count)

    // 1. What is no event. A crash: known as quarantined when it is served again.
    while let reject = pending?.rejects.last {
      try quarantine(reject)
      pending?.rejects.removeLast()
    }
    if done.events > 0, !given.isDurable {
      // 2. The segment. A crash: an empty segment, or one announced and not there; the next goes on with it.
      if pending?.hasSegment != true {
        try provideSegment(readFrom: given.readFrom)
        pending?.hasSegment = true
      }
      // 3. The events. A crash: bytes behind the record's offset, checked by recovery.
      try append()
      // 4. Durable from here on, and therefore counted and known. A crash: whole lines behind the
      // record's offset; the page is read again, and they are known.
      try advance()
    }
    // 5. The position. A crash before it is on disk: as after step 4.
    try write(given.checkpoint, isAfterNewEvents: done.events > 0)
    giveBackBuffer()
    prune()
    return Committed(events: done.events, bytes: done.bytes, ordinal: ordinal)
  }

  /// Rotates if it is time, or else deals with a partial line, so that `append` has only to write.
  private func provideSegment(readFrom position: ReadPosition) throws(StoreFailure) {
    try checkActive()
    if !partialLine.isEmpty, try continuesPartialLine() { return }
    if rotation != nil || active == nil || isRotationDue { try rotate(readFrom: position) }
  }

  /// Someone may have emptied or deleted the segment while it was being written. Its events are gone, and
  /// what is appended to it would be too: a gap, and a new segment. What someone has added is set aside.
  private func checkActive() throws(StoreFailure) {
    guard let active, rotation == nil else { return }
    let status = try active.file.status()
    let size = active.size + partialLine.count
    if status.links == 0 || status.size < size {
      let since = record?.checkpoint.continuousAt
      try note(Gap(cause: .spoolShortened, from: nil, to: record?.position, since: since))
      active.file.close()
      (self.active, partialLine) = (nil, [])
    } else if status.size > size {
      _ = try opened().cut(
        active.file, from: size, size: status.size, segment: active.ordinal,
        sequence: positionFile?.sequence ?? 0)
    }
  }

  /// An earlier run was cut off in the middle of a line. If the first new event begins with what is there
  /// only its remainder is written, and a reader who has seen the first half sees the second.
  private func continuesPartialLine() throws(StoreFailure) -> Bool {
    guard let active else { return false }
    if let lines = pending?.lines, lines.starts(with: partialLine) {
      pending?.written = partialLine.count
      partialLine = []
      return true
    }
    _ = try opened().cut(
      active.file, from: active.size, size: active.size + partialLine.count, segment: active.ordinal,
      sequence: positionFile?.sequence ?? 0)
    partialLine = []
    return false
  }

  private func append() throws(StoreFailure) {
    guard let active, let commit = pending else { return }
    var written = commit.written
    defer { pending?.written = written }
    try commit.lines.withUnsafeBufferPointer { lines throws(StoreFailure) in
      try active.file.write(UnsafeRawBufferPointer(lines), at: active.size, written: &written)
    }
  }

  private func advance() throws(StoreFailure) {
    guard let commit = pending else { return }
    try active?.file.synchronize()
    for id in commit.identities { window?.insert(id) }
    ordinal += UInt64(commit.identities.count)
    active?.size += commit.lines.count
    pending?.isDurable = true
  }

  /// Ends the pending commit; its buffer serves the next one, unless a huge page has made it huge.
  private func giveBackBuffer() {
    if var lines = pending?.lines, lines.capacity > thread.scratch.capacity, lines.capacity <= 4 << 20 {
      pending = nil
      swap(&lines, &thread.scratch)
    }
    pending = nil
  }
}
