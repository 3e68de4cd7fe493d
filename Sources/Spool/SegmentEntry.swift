import BoxEvents

/// A line of `segments.ndjson`: the evidence that remains when the position file is lost.
struct SegmentEntry: Hashable, Sendable {
  static let fileName = "segments.ndjson"

  /// The ordinal of the segment's first event.
  var ordinal: UInt64
  /// What the page was asked for with whose events begin the segment.
  var position: ReadPosition
  /// Whose feed, as ``FeedIdentity/digest``.
  var feed: String
  /// Box's time when the stream had last been seen caught up.
  var confirmedAt: BoxTime?
  /// Local seconds since 1970.
  var begunAt: Int64

  var line: [UInt8] {
    var object = JSONObjectWriter()
    object.add("ordinal", ordinal)
    object.add("position", position.description)
    object.add("feed", feed)
    if let confirmedAt { object.add("confirmed_at", confirmedAt.secondsSince1970) }
    object.add("time", UTCDate(secondsSince1970: begunAt).rfc3339)
    return object.line
  }

  /// Nil for the start line and for anything unreadable.
  init?(parsing line: some Sequence<UInt8>) {
    guard let document = JSONDocument(Array(line)),
      let ordinal = document["ordinal"].text.flatMap(UInt64.init),
      ordinal < 1 << 62, let position = document["position"].text.flatMap({ ReadPosition($0) }),
      let feed = document["feed"].text
    else { return nil }
    self.init(
      ordinal: ordinal, position: position, feed: feed,
      confirmedAt: document["confirmed_at"].text.flatMap(Int64.init).map {
        BoxTime(secondsSince1970: $0)
      }, begunAt: document["time"].text.flatMap { UTCDate(rfc3339: $0) }?.secondsSince1970 ?? 0)
  }

  init(
    ordinal: UInt64, position: ReadPosition, feed: String, confirmedAt: BoxTime?, begunAt: Int64
  ) {
    self.ordinal = ordinal
    self.position = position
    self.feed = feed
    self.confirmedAt = confirmedAt
    self.begunAt = begunAt
  }

  /// The line before all others: this stream has been begun, so an empty spool is no first start.
  static func startLine(at position: ReadPosition, feed: String, time: Int64) -> [UInt8] {
    var object = JSONObjectWriter()
    object.add("start", position.description)
    object.add("feed", feed)
    object.add("time", UTCDate(secondsSince1970: time).rfc3339)
    return object.line
  }
}
