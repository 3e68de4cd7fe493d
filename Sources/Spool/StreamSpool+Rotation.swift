import BoxEvents

/// New segments, and the end of old ones.
extension StreamSpool {
  private static let pruningInterval = Duration.seconds(60)

  /// Big or old enough, and not so soon that whoever follows `current` would miss a segment.
  var isRotationDue: Bool {
    guard let active, active.size > 0 else { return false }
    if let lastRotation, clock.monotonic() - lastRotation < limits.minimumSegmentLife { return false }
    return active.size >= limits.segmentSize
      || .seconds(clock.wallSeconds() - active.begunAt) >= limits.segmentAge
  }

  /// Begins the segment that the next event goes to. After `noSpace` it goes on at the step where it
  /// stopped.
  func rotate(readFrom position: ReadPosition) throws(StoreFailure) {
    let files = try opened()
    let begunAt = rotation?.begunAt ?? clock.wallSeconds()
    if rotation == nil { rotation = Rotation(ordinal: ordinal, begunAt: begunAt) }
    let name = SegmentName.text(ordinal)

    // The segment that ends here may be deleted from now on; its ids must outlive it. A crash: they are
    // known twice.
    if rotation?.isRemembered != true {
      if active != nil { try KnownIDs(knownWindow().newest(limits.knownEvents)).write(in: files.state) }
      rotation?.isRemembered = true
    }
    // Announced first, so that no segment is without its line. A crash: a line without a segment, and
    // where the position is lost its position is the one to go on from.
    if rotation?.isAnnounced != true {
      let entry = SegmentEntry(
        ordinal: ordinal, position: position, feed: location.feed.digest,
        confirmedAt: record?.confirmedAt, begunAt: begunAt)
      try segmentLog?.append(entry.line)
      rotation?.isAnnounced = true
    }
    // A crash from here on: an empty segment, named as the record's ordinal requires; it is gone on with.
    if rotation?.file == nil { rotation?.file = try files.spool.newFile(name) }
    if rotation?.isNamed != true {
      try files.spool.synchronize()
      rotation?.isNamed = true
    }
    try files.spool.pointLink(SegmentName.link, at: name)

    guard let file = rotation?.file else { return }
    active?.file.close()
    active = ActiveSegment(file: file, ordinal: ordinal, size: 0, begunAt: begunAt)
    rotation = nil
    lastRotation = clock.monotonic()
  }

  /// Deletes the oldest finished segments that are over the limits, at most once a minute. A failure is
  /// left for the next time: nothing depends on a deletion, and a disk that fills up speaks for itself.
  func prune() {
    guard limits.maxSize > 0 || limits.maxAge > .zero, let active else { return }
    let now = clock.monotonic()
    if let lastPruning, now - lastPruning < Self.pruningInterval { return }
    lastPruning = now
    try? deleteOverLimits(newest: active)
  }

  private func deleteOverLimits(newest: ActiveSegment) throws(StoreFailure) {
    let files = try opened()
    var total = newest.size
    var excess: [UInt64] = []
    for segment in try files.segments().reversed() where segment < newest.ordinal {
      guard let file = try files.spool.file(SegmentName.text(segment), writing: false) else { continue }
      defer { file.close() }
      let status = try file.status()
      total += status.size
      let isTooMuch = limits.maxSize > 0 && total > limits.maxSize
      let age = Duration.seconds(clock.wallSeconds() &- status.modifiedAt)
      if isTooMuch || limits.maxAge > .zero && age > limits.maxAge {
        excess.append(segment)
      }
    }
    for segment in excess.reversed() { try files.spool.remove(SegmentName.text(segment)) }
  }
}
