import BoxEvents

/// A spool at rest: its files are closed, because other streams of its thread are busier. What it knows of them stays
/// in memory, so that the next call opens four files and reads nothing.
extension OpenSpool {
  /// Which files and directories were open.
  struct Identities: Hashable, Sendable {
    var spool: FileStatus.ID
    var state: FileStatus.ID
    var position: FileStatus.ID?
    var segment: FileStatus.ID?
  }

  /// Nothing is under way that needs the files as they are.
  var canRest: Bool { pending == nil && loading == nil }

  var identities: Identities {
    Identities(
      spool: files.spool.id, state: files.state.id, position: position?.file.id, segment: active?.file.id)
  }

  /// The spool, which was closed, with its files open again. What someone has done to a file meanwhile is treated as
  /// if it had been open.
  /// - Returns: nil if the directories are not the same: only a recovery can tell what is in them.
  func woken(as identities: Identities) throws(StoreFailure) -> OpenSpool? {
    guard let files = try StreamFiles(existing: setup.location) else { return nil }
    var spool = self
    spool.files = files
    guard files.spool.id == identities.spool, files.state.id == identities.state else {
      files.close()
      return nil
    }
    spool.segmentLog.directory = files.spool
    spool.gapLog.directory = files.spool
    spool.quarantineLog.directory = files.spool
    try closingOnFailure(files.close) { () throws(StoreFailure) in
      try spool.openPosition(as: identities.position)
    }
    let undo = { [position = spool.position] in
      position?.file.close()
      files.close()
    }
    try closingOnFailure(undo) { () throws(StoreFailure) in try spool.openSegment(as: identities.segment) }
    return spool
  }

  private mutating func openPosition(as id: FileStatus.ID?) throws(StoreFailure) {
    guard position != nil else { return }
    if let file = try files.state.file(PositionRecord.fileName, as: id) {
      position?.file.reopened(as: file, in: files.state)
    } else {
      // As in ``write(_:durable:)``.
      position?.file = try files.madePosition()
    }
  }

  private mutating func openSegment(as id: FileStatus.ID?) throws(StoreFailure) {
    guard let segment = active else { return }
    if let file = try files.spool.file(SegmentName.text(segment.ordinal), as: id) {
      active?.file = file
    } else {
      // As in a commit that finds it gone.
      active = nil
      if segment.size > 0 { try recordShortened(after: entry(upTo: segment.ordinal)) }
    }
  }
}

extension DiskDirectory {
  /// A file to write, if it is still that one.
  fileprivate func file(_ name: String, as id: FileStatus.ID?) throws(StoreFailure) -> DiskFile? {
    guard let file = try file(name, writing: true) else { return nil }
    if file.id == id { return file }
    file.close()
    return nil
  }
}
