import BoxEvents

/// New segments, and the end of old ones.
extension OpenSpool {
  /// Large or old enough, and not so soon that whatever follows `current` would miss a segment.
  var isRotationDue: Bool {
    guard let active, active.size > 0 else { return false }
    if setup.clock.monotonic() - active.begunAtMonotonic < setup.limits.minimumSegmentLife { return false }
    if active.size >= setup.limits.segmentSize { return true }
    let age = Duration.seconds(setup.clock.wallSeconds() - active.begunAt)
    return setup.limits.segmentAge > .zero && age >= setup.limits.segmentAge
  }

  /// Begins the segment that the next event goes to: steps 2 to 5 of the commit.
  mutating func rotate(for commit: inout PendingCommit) throws(StoreFailure) {
    var rotation = commit.rotation ?? Rotation(begunAt: setup.clock.wallSeconds())
    defer { commit.rotation = rotation }
    let name = SegmentName.text(ordinal)
    // Step 2. Unlike the segment that ends here, its ids must stay.
    if !rotation.hasKnownIDs {
      if active != nil { try KnownIDs.write(knownWindow().newest(setup.limits.knownEvents), in: files.state) }
      rotation.hasKnownIDs = true
    }
    // Step 3. Announced first, so that no segment is without its line.
    if !rotation.isAnnounced {
      let entry = SegmentEntry(
        ordinal: ordinal, position: commit.readFrom, feed: setup.location.feed.digest,
        confirmedAt: try requireBegun().record.confirmedAt, begunAt: rotation.begunAt)
      try segmentLog.append(entry.line)
      rotation.isAnnounced = true
    }
    // Step 4.
    let file: DiskFile = if let made = rotation.file { made } else { try files.spool.newFile(name) }
    rotation.file = file
    if !rotation.isNamed {
      try files.spool.synchronize()
      rotation.isNamed = true
    }
    // Step 5.
    try files.spool.pointLink(SegmentName.link, at: name)

    active?.file.close()
    active = ActiveSegment(
      file: file, ordinal: ordinal, begunAt: rotation.begunAt,
      begunAtMonotonic: setup.clock.monotonic(), size: 0)
    // The file is the active segment's now.
    rotation.file = nil
  }

  /// Deletes the oldest finished segments that exceed the limits, at most once a minute. A failure is left
  /// for the next time: nothing depends on a deletion, and a full disk is reported by the next commit.
  mutating func deleteOverLimits() {
    guard setup.limits.maxSize > 0 || setup.limits.maxAge > .zero, let active else { return }
    let now = setup.clock.monotonic()
    if let limitsAppliedAt, now - limitsAppliedAt < .seconds(60) { return }
    limitsAppliedAt = now
    try? deleteFinished(before: active)
  }

  private func deleteFinished(before newest: ActiveSegment) throws(StoreFailure) {
    let limits = setup.limits
    var total = newest.size
    var excess: [UInt64] = []
    for segment in try files.spool.segments().reversed() where segment < newest.ordinal {
      // What can't be opened is left alone.
      guard let file = try? files.spool.file(SegmentName.text(segment), writing: false) else { continue }
      defer { file.close() }
      let status = try file.status()
      total += status.size
      let isTooMuch = limits.maxSize > 0 && total > limits.maxSize
      let age = Duration.seconds(setup.clock.wallSeconds() &- status.modifiedAt)
      if isTooMuch || limits.maxAge > .zero && age > limits.maxAge { excess.append(segment) }
    }
    for segment in excess.reversed() { try files.spool.remove(SegmentName.text(segment)) }
  }
}
