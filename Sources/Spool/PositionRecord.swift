package import BoxEvents

/// A record of the position file: where to read on, and which bytes of the spool are durable.
package struct PositionRecord: Hashable, Sendable {
  var checkpoint: Checkpoint
  /// The ordinal of the next event, once everything up to `offset` is counted.
  package var ordinal: UInt64
  /// The ordinal that names the newest segment, or, with `offset` 0, the one to be begun.
  package var segment: UInt64
  /// How many bytes of that segment are durable: always complete lines.
  package var offset: Int
  /// The boot in which this was written. Bytes after `offset` are kept only in the same boot.
  package var boot: String
  /// ``FeedIdentity/digest`` of whose feed it is.
  package var feed: String
  /// Which events the position is before, so that they will be served again.
  package var known = Known.recent
  /// ``FeedIdentity/parts`` behind the digest, for the message when they have changed. Empty in an earlier version's file.
  package var parts: [String] = []
  /// Whose feed Box has said it is, where the parts don't tell; nil as long as it isn't known.
  package var owner: String?
  /// Where the spool ended when a recovery accepted it, while no event is in a newer segment.
  var accepted: SpoolEnd?

  /// Which events must be known by their ids, besides the newest ones.
  package enum Known: Hashable, Sendable {
    /// None: the position is after everything in the spool.
    case recent
    /// Those from this ordinal on: kept by a recovery though the position was not yet after them, or part of
    /// the segment from whose position the stream is read again.
    case since(UInt64)
    /// Everything in the spool, until the stream has been seen caught up: an operator has moved the position.
    case all

    var text: String {
      switch self {
      case .recent: "recent"
      case .since(let ordinal): String(ordinal)
      case .all: "all"
      }
    }

    init?(_ text: some StringProtocol) {
      switch text {
      case "recent": self = .recent
      case "all": self = .all
      default:
        guard let ordinal = UInt64(text) else { return nil }
        self = .since(ordinal)
      }
    }
  }

  package var position: ReadPosition { checkpoint.position }
  /// Box's time when the stream was last seen caught up.
  package var confirmedAt: BoxTime? { checkpoint.confirmedAt }

  static let fileName = "stream_position"
  /// Ordinals and sizes from this on are invalid.
  private static let limit: UInt64 = 1 << 62

  /// The newest intact record of a stream's state directory. Nil where the position file is missing or corrupt.
  static func saved(in state: DiskDirectory) throws(StoreFailure) -> PositionRecord? {
    let file = try TwoBlockFile(fileName, in: state, writing: false) { PositionRecord(parsing: $0) != nil }
    defer { file?.close() }
    return file?.content.flatMap { PositionRecord(parsing: $0) }
  }

  /// The record's lines, as they are in the file.
  var text: String {
    """
    stream_position: \(position)
    confirmed_at: \(confirmedAt.map { String($0.secondsSince1970) } ?? "never")
    read_since: \(checkpoint.readSince.map { String($0.secondsSince1970) } ?? "caught-up")
    ordinal: \(ordinal)
    segment: \(segment)
    offset: \(offset)
    boot: \(boot)
    feed: \(feed)
    known_from: \(known.text)

    """
      + (accepted.map { "\(Self.acceptedKey)\($0.text)\n" } ?? "")
      + zip(Self.partKeys, parts.isEmpty ? [] : parts + [owner ?? ""]).map { key, part in
        "\(key): \(part.isEmpty ? Self.unset : part)\n"
      }.joined()
  }

  private static let acceptedKey = "spool_end: "
  private static let partKeys = ["api", "subject", "as_user", "type", "owner"]
  private static let unset = "none"

  /// Nothing was stored and nothing read to its end, and no operator has chosen the position.
  var isUnused: Bool { ordinal == 0 && confirmedAt == nil && known == .recent }
}

extension PositionRecord {
  /// Nil unless the text is exactly what ``text`` gives for its values.
  init?(parsing text: String) {
    var values: [Substring] = []
    var lines = text.split(separator: "\n")
    var accepted: SpoolEnd?
    if lines.count > 9, lines[9].hasPrefix(Self.acceptedKey) {
      accepted = SpoolEnd(lines.remove(at: 9).dropFirst(Self.acceptedKey.count))
    }
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      values.append(line[colon...].dropFirst(2))
    }
    guard [9, 9 + Self.partKeys.count].contains(values.count), let position = ReadPosition(values[0]),
      let ordinal = UInt64(values[3]), let segment = UInt64(values[4]), let offset = Int(values[5]),
      offset >= 0, let known = Known(values[8]),
      ordinal < Self.limit, segment <= ordinal, offset < Self.limit,
      // Bytes are lines, and lines are events.
      offset == 0 || segment < ordinal
    else { return nil }
    let checkpoint = Checkpoint(
      position: position, confirmedAt: Int64(values[1]).map { BoxTime(secondsSince1970: $0) },
      readSince: Int64(values[2]).map { BoxTime(secondsSince1970: $0) })
    let parts = values[9...].map { $0 == Self.unset ? "" : String($0) }
    self.init(
      checkpoint: checkpoint, ordinal: ordinal, segment: segment, offset: offset, boot: String(values[6]),
      feed: String(values[7]), known: known, parts: parts.dropLast(),
      owner: parts.last.flatMap { $0.isEmpty ? nil : $0 }, accepted: accepted)
    guard self.text == text else { return nil }
  }
}

/// Where the spool ends: after the complete lines of its newest segment.
struct SpoolEnd: Hashable, Sendable {
  /// Of an empty spool.
  static let nothing = SpoolEnd(segment: 0, offset: 0)

  var segment: UInt64
  var offset: Int

  var text: String { "\(segment) \(offset)" }
}

extension SpoolEnd {
  /// Nil for any other text.
  init?(_ text: Substring) {
    let words = text.split(separator: " ")
    guard words.count == 2, let segment = UInt64(words[0]), segment < 1 << 61, let offset = Int(words[1]),
      offset >= 0, offset < 1 << 62
    else { return nil }
    self.init(segment: segment, offset: offset)
  }
}
