public import BoxEvents

/// What the position file says: where to read on, and which bytes of the spool are proven for it.
public struct PositionRecord: Hashable, Sendable {
  public var position: ReadPosition
  /// Box's time when the stream was last seen dry.
  public var confirmedAt: BoxTime?
  /// The ordinal of the next event, once everything up to `offset` is counted.
  public var ordinal: UInt64
  /// The ordinal that names the newest segment, or, with `offset` 0, the one to be begun.
  public var segment: UInt64
  /// How many bytes of that segment are durable: always whole lines.
  public var offset: Int
  /// The boot in which this was written. Bytes behind `offset` are judged by it.
  public var boot: String
  /// ``FeedIdentity/digest`` of whose feed it is.
  public var feed: String
  /// Every event from this ordinal on must be known by its id until the stream has been seen dry again,
  /// because the position stands before them: after `position set` 0, after a rebuilt position the
  /// ordinal of the segment it was rebuilt from.
  public var knownFrom: UInt64?

  static let fileName = "stream_position"
  /// Ordinals and sizes above this are no sizes and ordinals.
  private static let limit: UInt64 = 1 << 62

  /// The record's lines, as they stand in the file.
  var text: String {
    """
    stream_position: \(position)
    confirmed_at: \(confirmedAt.map { String($0.secondsSince1970) } ?? "never")
    ordinal: \(ordinal)
    segment: \(segment)
    offset: \(offset)
    boot: \(boot)
    feed: \(feed)
    known_from: \(knownFrom.map { String($0) } ?? "recent")

    """
  }

  init(
    position: ReadPosition, confirmedAt: BoxTime?, ordinal: UInt64, segment: UInt64, offset: Int,
    boot: String, feed: String, knownFrom: UInt64? = nil
  ) {
    self.position = position
    self.confirmedAt = confirmedAt
    self.ordinal = ordinal
    self.segment = segment
    self.offset = offset
    self.boot = boot
    self.feed = feed
    self.knownFrom = knownFrom
  }

  /// Nil unless the text is exactly what ``text`` gives for its values.
  init?(parsing text: String) {
    var values: [Substring] = []
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      values.append(line[colon...].dropFirst(2))
    }
    guard values.count == 8, let position = ReadPosition(values[0]), let ordinal = UInt64(values[2]),
      let segment = UInt64(values[3]), let offset = Int(values[4]), offset >= 0,
      ordinal < Self.limit, segment <= ordinal, offset < Self.limit
    else { return nil }
    self.init(
      position: position, confirmedAt: Int64(values[1]).map { BoxTime(secondsSince1970: $0) },
      ordinal: ordinal, segment: segment, offset: offset, boot: String(values[5]),
      feed: String(values[6]), knownFrom: UInt64(values[7]))
    guard self.text == text else { return nil }
  }
}
