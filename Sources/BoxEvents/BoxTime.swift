/// A moment by Box's clock: whole seconds since 1970-01-01 UTC, from the `Date` header of its answers.
///
/// Ages, retention and gaps are the time between two of these; the local clock has no part in it.
package struct BoxTime: Hashable, Comparable, Sendable {
  package var secondsSince1970: Int64

  package init(secondsSince1970: Int64) {
    self.secondsSince1970 = secondsSince1970
  }

  package init(_ date: UTCDate) {
    self.init(secondsSince1970: date.secondsSince1970)
  }

  package var date: UTCDate { UTCDate(secondsSince1970: secondsSince1970) }

  package static func < (left: Self, right: Self) -> Bool {
    left.secondsSince1970 < right.secondsSince1970
  }

  /// The time from `earlier` to this moment, in whole seconds; saturates, never traps.
  package func since(_ earlier: BoxTime) -> Duration {
    let (difference, overflow) =
      secondsSince1970.subtractingReportingOverflow(earlier.secondsSince1970)
    return overflow ? .seconds(secondsSince1970 < 0 ? Int64.min / 2 : Int64.max / 2) : .seconds(difference)
  }
}
