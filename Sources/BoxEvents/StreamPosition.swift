/// A place in a Box event stream: opaque decimal digits, kept exactly as Box wrote them.
///
/// Box sends positions as JSON numbers or strings, with values beyond 2^53 and no promised upper bound, so
/// they never pass through a number type. They are compared for equality only, but for ``exceeds(_:)``.
/// Source: <https://developer.box.com/reference/get-events/>, `stream_position`.
package struct StreamPosition: Hashable, Sendable, CustomStringConvertible {
  /// The digits as Box wrote them: 1 to ``maximumDigits`` ASCII digits, not all of them zero.
  package let digits: String

  /// Far above any position seen (19 digits), and small enough for the position file's block.
  package static let maximumDigits = 64

  /// Nil for anything that is not a position to go on from: empty, `0`, `-1`, `now`, a fraction, text.
  package init?(_ text: some StringProtocol) {
    let bytes = text.utf8
    guard !bytes.isEmpty, bytes.count <= Self.maximumDigits,
      bytes.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
      bytes.contains(where: { $0 != 0x30 })
    else { return nil }
    self.digits = String(text)
  }

  package var description: String { digits }

  /// Whether this position is longer than `other`, or as long and greater in digits.
  ///
  /// Only an empty page's position is checked so: Box may send a lower one there, and following it
  /// would go backwards for nothing.
  package func exceeds(_ other: StreamPosition) -> Bool {
    let (mine, theirs) = (digits.utf8.count, other.digits.utf8.count)
    return mine == theirs ? digits > other.digits : mine > theirs
  }
}

/// What a read of the stream starts from: the value of the `stream_position` query item.
package enum ReadPosition: Hashable, Sendable, CustomStringConvertible {
  /// The newest position; Box answers with no events.
  case now
  /// Everything Box still retains, oldest first.
  case oldest
  case at(StreamPosition)

  /// Reads `now`, `oldest`, `0` or digits, as written in configuration and position files.
  package init?(_ text: some StringProtocol) {
    switch text {
    case "now": self = .now
    case "oldest", "0": self = .oldest
    default:
      guard let position = StreamPosition(text) else { return nil }
      self = .at(position)
    }
  }

  /// The text of the query item: `now`, `0` or the digits.
  package var description: String {
    switch self {
    case .now: "now"
    case .oldest: "0"
    case .at(let position): position.digits
    }
  }
}
