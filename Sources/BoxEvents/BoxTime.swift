/// A moment by Box's clock: whole seconds since 1970-01-01 UTC, from the `Date` header of its answers.
///
/// Ages, retention and gaps are the time between two of these; the local clock has no part in it.
public struct BoxTime: Hashable, Comparable, Sendable {
  public var secondsSince1970: Int64

  public init(secondsSince1970: Int64) {
    self.secondsSince1970 = secondsSince1970
  }

  public init(_ date: UTCDate) {
    self.init(secondsSince1970: date.secondsSince1970)
  }

  public var date: UTCDate { UTCDate(secondsSince1970: secondsSince1970) }

  public static func < (left: Self, right: Self) -> Bool {
    left.secondsSince1970 < right.secondsSince1970
  }

  /// The time from `earlier` to this moment, in whole seconds; saturates, never traps.
  public func since(_ earlier: BoxTime) -> Duration {
    let (difference, overflow) =
      secondsSince1970.subtractingReportingOverflow(earlier.secondsSince1970)
    return overflow ? .seconds(secondsSince1970 < 0 ? Int64.min / 2 : Int64.max / 2) : .seconds(difference)
  }
}
