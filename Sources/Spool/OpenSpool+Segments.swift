import BoxEvents

/// New segments.
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
    // Step 2. Unlike the segment that ends here, or was moved, its ids must stay.
    if !rotation.hasKnownIDs {
      if ordinal > 0 { try KnownIDs.write(knownWindow().newest(setup.limits.knownEvents), in: files.state) }
      rotation.hasKnownIDs = true
    }
    // Step 3. Announced first, so that no segment is without its line.
    if !rotation.isAnnounced {
      let entry = SegmentEntry(
        ordinal: ordinal, position: commit.batch.readFrom, feed: setup.location.feed.digest,
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

  /// Makes the link to the newest segment again if someone has deleted or changed it. Nothing depends on it.
  func keepLink() {
    guard let active else { return }
    _ = try? files.spool.pointLink(SegmentName.link, at: SegmentName.text(active.ordinal))
  }
}
