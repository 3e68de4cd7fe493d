import BoxEvents

/// A line of `gaps.ndjson`.
struct GapLine {
  static let fileName = "gaps.ndjson"

  var gap: Gap
  /// Of the first event after the break.
  var ordinal: UInt64
  /// Where the spool ended when a recovery found it shortened. A spool that was restored again ends elsewhere.
  var end: SpoolEnd?
  /// How many events are stored whose ids were lost with the state: they may come twice. Not read back.
  var unknownIDs: UInt64 = 0

  /// - Parameter time: local seconds since 1970.
  func line(at time: Int64) -> [UInt8] {
    var object = JSONObjectWriter()
    object.add("time", UTCDate(secondsSince1970: time).rfc3339)
    object.add("cause", gap.cause.rawValue)
    object.add("ordinal", ordinal)
    if let from = gap.from { object.add("from", from.description) }
    if let to = gap.to { object.add("to", to.description) }
    if let since = gap.since { object.add("since", since.date.rfc3339) }
    if let until = gap.until { object.add("until", until.date.rfc3339) }
    if unknownIDs > 0 { object.add("unknown_ids", unknownIDs) }
    if let end { object.add("kept_segment", end.segment) }
    if let end { object.add("kept_bytes", end.offset) }
    return object.line
  }

  /// Whether both are the same break. A run that found a break of retention and ended before its first
  /// record may leave events of the page that showed it; the next run finds the break at a later ordinal.
  func isSame(as other: GapLine) -> Bool {
    gap.cause == other.gap.cause && gap.since == other.gap.since
      && (gap.cause == .retention || ordinal == other.ordinal)
      && (end == nil || other.end == nil || end == other.end)
  }
}

extension GapLine {
  /// Nil for any other line.
  init?(parsing line: some Sequence<UInt8>) {
    guard let document = JSONDocument(Array(line)),
      let cause = document["cause"].text.flatMap({ Gap.Cause(rawValue: $0) }),
      let ordinal = document["ordinal"].text.flatMap(UInt64.init)
    else { return nil }
    func position(_ key: String) -> ReadPosition? { document[key].text.flatMap { ReadPosition($0) } }
    func time(_ key: String) -> BoxTime? {
      document[key].text.flatMap { UTCDate(rfc3339: $0) }.map(BoxTime.init)
    }
    self.init(
      gap: Gap(
        cause: cause, from: position("from"), to: position("to"), since: time("since"), until: time("until")),
      ordinal: ordinal,
      end: document["kept_segment"].text.flatMap { segment in
        document["kept_bytes"].text.flatMap { SpoolEnd("\(segment) \($0)") }
      })
  }
}
