import BoxEvents

/// A line of `gaps.ndjson`.
enum GapLine {
  static let fileName = "gaps.ndjson"

  /// - Parameters:
  ///   - ordinal: of the first event after the break.
  ///   - time: local seconds since 1970.
  static func line(_ gap: Gap, ordinal: UInt64, time: Int64) -> [UInt8] {
    var object = JSONObjectWriter()
    object.add("time", UTCDate(secondsSince1970: time).rfc3339)
    object.add("cause", gap.cause.rawValue)
    object.add("ordinal", ordinal)
    if let from = gap.from { object.add("from", from.description) }
    if let to = gap.to { object.add("to", to.description) }
    if let since = gap.since { object.add("since", since.date.rfc3339) }
    if let until = gap.until { object.add("until", until.date.rfc3339) }
    return object.line
  }

  /// Nil for a line that is none.
  static func gap(on line: some Sequence<UInt8>) -> Gap? {
    guard let document = JSONDocument(Array(line)),
      let cause = document["cause"].text.flatMap({ Gap.Cause(rawValue: $0) })
    else { return nil }
    func position(_ key: String) -> ReadPosition? { document[key].text.flatMap { ReadPosition($0) } }
    func time(_ key: String) -> BoxTime? {
      document[key].text.flatMap { UTCDate(rfc3339: $0) }.map(BoxTime.init)
    }
    return Gap(
      cause: cause, from: position("from"), to: position("to"), since: time("since"), until: time("until"))
  }

  /// What tells one line from another.
  struct Identity {
    var cause: Gap.Cause
    /// Of the first event after the break.
    var ordinal: UInt64
    var since: String?

    /// Whether both tell of the same break. A run that ended before its first record has found a break of
    /// retention may leave events of the page that showed it; the next run finds the break before others.
    func isSame(as other: Identity) -> Bool {
      cause == other.cause && since == other.since && (cause == .retention || ordinal == other.ordinal)
    }
  }

  static func identity(of gap: Gap, ordinal: UInt64) -> Identity {
    Identity(
      cause: gap.cause, ordinal: ordinal, since: gap.since?.date.rfc3339)
  }

  /// Nil for a line that is none.
  static func identity(on line: some Sequence<UInt8>) -> Identity? {
    guard let document = JSONDocument(Array(line)),
      let cause = document["cause"].text.flatMap({ Gap.Cause(rawValue: $0) }),
      let ordinal = document["ordinal"].text.flatMap(UInt64.init)
    else { return nil }
    return Identity(cause: cause, ordinal: ordinal, since: document["since"].text)
  }
}
