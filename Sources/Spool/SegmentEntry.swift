package import BoxEvents

/// A line of `segments.ndjson`: the evidence that remains when the position file is lost.
struct SegmentEntry: Hashable, Sendable {
  static let fileName = "segments.ndjson"

  /// The ordinal of the segment's first event.
  var ordinal: UInt64
  /// The position that the page was read from whose events begin the segment.
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

  /// The newest readable entry of some lines.
  static func last(in lines: [ArraySlice<UInt8>]) -> SegmentEntry? {
    lines.reversed().lazy.compactMap { SegmentEntry(parsing: $0) }.first
  }

  /// The first line: this stream has begun, so that an empty spool is not taken for a first start.
  static func startLine(at position: ReadPosition, feed: String, time: Int64) -> [UInt8] {
    var object = JSONObjectWriter()
    object.add("start", position.description)
    object.add("feed", feed)
    object.add("time", UTCDate(secondsSince1970: time).rfc3339)
    return object.line
  }
}

extension SegmentEntry {
  /// Nil for the start line and for anything unreadable.
  init?(parsing line: some Sequence<UInt8>) {
    guard let document = JSONDocument(Array(line)),
      let ordinal = document["ordinal"].text.flatMap(UInt64.init), ordinal < 1 << 62,
      let position = document["position"].text.flatMap({ ReadPosition($0) }), let feed = document["feed"].text
    else { return nil }
    self.init(
      ordinal: ordinal, position: position, feed: feed,
      confirmedAt: document["confirmed_at"].text.flatMap(Int64.init).map { BoxTime(secondsSince1970: $0) },
      begunAt: document["time"].text.flatMap { UTCDate(rfc3339: $0) }?.secondsSince1970 ?? 0)
  }
}

/// The names of segment files: `events-0000000000104729.ndjson`, with the ordinal of the first event, so that
/// names sort in the order of events.
enum SegmentName {
  static let link = "current"
  private static let prefix = "events-"
  private static let suffix = ".ndjson"

  static func text(_ ordinal: UInt64) -> String { prefix + digits(ordinal) + suffix }

  /// At least 16 digits.
  static func digits(_ number: UInt64) -> String {
    String(repeating: "0", count: max(0, 16 - String(number).count)) + String(number)
  }

  /// The ordinal in a name, or nil for any other name.
  static func ordinal(_ name: String) -> UInt64? {
    let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
    // No record could name an event after 1 << 61.
    guard let ordinal = UInt64(digits), ordinal < 1 << 61, text(ordinal) == name else { return nil }
    return ordinal
  }
}

extension SegmentName {
  /// What archivers add to the name of a segment that they compress.
  static let archiveSuffixes = [".zst", ".gz", ".xz", ".bz2", ".lz4"]

  /// The ordinal in the name of a segment, compressed or not; nil for any other name.
  static func ordinalOfFinished(_ name: String) -> UInt64? {
    let added = archiveSuffixes.first { name.hasSuffix($0) } ?? ""
    return ordinal(String(name.dropLast(added.count)))
  }
}

extension DiskDirectory {
  /// The ordinals of a stream's segments that are there, in order.
  func segments() throws(StoreFailure) -> [UInt64] { try names().compactMap(SegmentName.ordinal).sorted() }

  /// The name of the link to a stream's newest segment, where there are segments and no link.
  package func missingLink() throws(StoreFailure) -> String? {
    let names = try names()
    if names.contains(SegmentName.link) { return nil }
    return names.contains { SegmentName.ordinal($0) != nil } ? SegmentName.link : nil
  }
}
