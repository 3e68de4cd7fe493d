import BoxEvents

/// A stream whose name now stands for another feed: what blocks it.
extension StreamSpool.Location {
  /// What blocks a stream whose record is another feed's. Nil where a first set-up was wrong and has been corrected:
  /// this is the first start.
  func foreign(
    _ record: PositionRecord, _ segments: [UInt64], _ log: LineLog
  ) throws(StoreFailure) -> StoreFailure? {
    if record.isUnused, segments.isEmpty, SegmentEntry.last(in: try log.tail()) == nil { return nil }
    return foreign(
      "its position", feed.changes(from: record.parts),
      undoneBy: feed.isOfSameSource(as: record.parts) ? "reload" : "restart")
  }

  /// Pasted as it is, the command is refused and changes nothing.
  var setPosition: String {
    "box-eventd position set \(name) POSITION, where POSITION is now, oldest or a position."
  }

  /// What blocks a stream without a record whose newest segment is another feed's.
  func foreign(_ entry: SegmentEntry) -> StoreFailure {
    foreign("the last line of \(SegmentEntry.fileName)", "")
  }

  /// What blocks a stream whose position, or the evidence of it, is another feed's.
  /// - Parameter command: of systemctl, which applies the change when it is undone.
  func foreign(_ what: String, _ changes: String, undoneBy command: String = "restart") -> StoreFailure {
    let end = changes.isEmpty ? "" : ": \(changes)"
    return StoreFailure(
      .blocked, "the stream \(name) cannot go on: \(what) belongs to another feed\(end)",
      hint:
        "Undo the change, then run systemctl \(command) box-eventd: the stream goes on where it was. Or give the other feed "
        + "a stream with a name of its own. If the configuration was wrong before, or to read the other feed under "
        + "this name: systemctl stop box-eventd, then run: \(setPosition)")
  }
}
