import BoxEvents

/// The end of finished segments.
extension OpenSpool {
  /// Deletes the oldest finished segments that exceed the limits, unless that was done a short time ago. A failure is
  /// left for the next time: nothing depends on a deletion, and a full disk is reported by the next commit.
  mutating func deleteOverLimits(every interval: Duration = .seconds(60)) {
    guard setup.limits.maxSize > 0 || setup.limits.maxAge > .zero, let active else { return }
    let now = setup.clock.monotonic()
    if now - limitsAppliedAt < interval { return }
    limitsAppliedAt = now
    try? deleteFinished(before: active)
  }

  private mutating func deleteFinished(before newest: ActiveSegment) throws(StoreFailure) {
    let limits = setup.limits
    let now = limits.maxAge > .zero ? boxTime : nil
    let begun = now == nil ? [] : try segmentLog.tail().compactMap { SegmentEntry(parsing: $0) }
    var total = newest.size
    var excess: [String] = []
    for (ordinal, name) in try files.spool.finishedSegments(before: newest.ordinal).reversed() {
      guard let status = try files.spool.status(of: name), status.kind == .file else { continue }
      total += status.size
      var isExcess = limits.maxSize > 0 && total > limits.maxSize
      if let now, let end = end(of: status, next: begun.first { $0.ordinal > ordinal }, now) {
        isExcess = isExcess || now.since(end) > limits.maxAge
      }
      if isExcess { excess.append(name) }
    }
    for name in excess.reversed() { try files.spool.remove(name) }
  }

  /// Box's time now, or somewhat earlier: its time in the newest checkpoint, and the time since then. Nil before
  /// Box's first answer.
  private var boxTime: BoxTime? {
    mutating get {
      let now = setup.clock.monotonic()
      let known = boxClock ?? position?.record.checkpoint.continuousAt.map { ($0, now) }
      boxClock = known
      return known.map {
        BoxTime(secondsSince1970: $0.time.secondsSince1970 + (now - $0.at).components.seconds)
      }
    }
  }

  /// When a finished segment got its last event: the file's time, which a wrong clock may have set. It was not
  /// before the stream had last caught up when the next segment began, and is not in the future of every clock.
  private func end(of status: FileStatus, next: SegmentEntry?, _ now: BoxTime) -> BoxTime? {
    let modifiedAt = BoxTime(secondsSince1970: status.modifiedAt)
    guard status.modifiedAt <= max(now.secondsSince1970, setup.clock.wallSeconds()) else {
      return next?.confirmedAt
    }
    return next?.confirmedAt.map { max($0, modifiedAt) } ?? modifiedAt
  }
}

extension DiskDirectory {
  /// The files of a stream's segments before an ordinal, also those that an archiver has compressed, in order.
  fileprivate func finishedSegments(before end: UInt64) throws(StoreFailure) -> [(
    ordinal: UInt64, name: String
  )] {
    try names().compactMap { name in SegmentName.ordinalOfFinished(name).map { ($0, name) } }
      .filter { $0.0 < end }.sorted { $0 < $1 }
  }
}
