import BoxEvents

/// A line of `gaps.ndjson`.
enum GapLine {
  static let fileName = "gaps.ndjson"

  /// - Parameters:
  ///   - ordinal: of the first event after the break.
  ///   - time: local seconds since 1970.
  static func line(_ gap: Gap, ordinal: UInt64, time: Int64) -> [UInt8] {
    var line = JSONLine()
    line.add("time", Timestamp.text(time))
    line.add("cause", gap.cause.rawValue)
    line.add("ordinal", ordinal)
    line.add("from", gap.from?.description)
    line.add("to", gap.to?.description)
    line.add("since", gap.since.map { Timestamp.text($0.secondsSince1970) })
    line.add("until", gap.until.map { Timestamp.text($0.secondsSince1970) })
    return line.finished
  }

  /// The cause and ordinal of a line, to know it again.
  static func reading(_ line: some Sequence<UInt8>) -> (cause: Gap.Cause, ordinal: UInt64)? {
    guard let document = JSONDocument(Array(line)),
      let cause = document["cause"].text.flatMap({ Gap.Cause(rawValue: $0) }),
      let ordinal = document["ordinal"].text.flatMap(UInt64.init)
    else { return nil }
    return (cause, ordinal)
  }
}
