/// A moment by Box's clock: whole seconds since 1970-01-01 UTC, from the `Date` header of its answers.
///
/// Ages, retention and gaps are the time between two of these; the local clock has no part in it.
package struct BoxTime: Hashable, Comparable, Sendable {
  package var secondsSince1970: Int64

  package init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }
  package init(_ date: UTCDate) { self.init(secondsSince1970: date.secondsSince1970) }

  package var date: UTCDate { UTCDate(secondsSince1970: secondsSince1970) }

  package static func < (left: Self, right: Self) -> Bool { left.secondsSince1970 < right.secondsSince1970 }

  /// The time from `earlier` to this moment, in whole seconds; saturates, never traps.
  package func since(_ earlier: BoxTime) -> Duration {
    let (difference, overflow) = secondsSince1970.subtractingReportingOverflow(earlier.secondsSince1970)
    return overflow ? .seconds(secondsSince1970 < 0 ? Int64.min / 2 : Int64.max / 2) : .seconds(difference)
  }
}

/// Box's clock, as an answer of Box has shown it.
struct BoxClock: Hashable, Sendable {
  var date: BoxTime
  /// When the answer came.
  var at: FeedInstant

  /// How long ago a moment of Box's clock was, at `now`.
  func age(of moment: BoxTime, at now: FeedInstant) -> Duration {
    max(.zero, date.since(moment) + at.duration(to: now))
  }
}

/// A moment on this machine's clock that never goes back, counted from an arbitrary origin.
///
/// This module reads no clock: every input carries its time.
package struct FeedInstant: InstantProtocol, Hashable, Sendable {
  package var sinceOrigin: Duration

  package init(sinceOrigin: Duration) { self.sinceOrigin = sinceOrigin }

  package func advanced(by duration: Duration) -> Self { Self(sinceOrigin: sinceOrigin + duration) }
  package func duration(to other: Self) -> Duration { other.sinceOrigin - sinceOrigin }

  package static func < (left: Self, right: Self) -> Bool { left.sinceOrigin < right.sinceOrigin }
  package static func + (instant: Self, duration: Duration) -> Self { instant.advanced(by: duration) }
}
