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

/// Box's clock, as its answers have shown it.
///
/// One answer's date proves nothing when it isn't what is expected by the dates before it and the time since then: it
/// is believed when the next one confirms it. So is the time of a machine that was suspended, or stopped for weeks.
/// Known hole: the very first date of a stream has none before it.
struct BoxClock: Hashable, Sendable {
  private struct Answer: Hashable, Sendable {
    var date: BoxTime
    /// When the answer came.
    var at: FeedInstant

    func agrees(with other: Answer) -> Bool {
      let difference = date.since(other.date) - other.at.duration(to: at)
      return difference <= BoxClock.tolerance && difference >= .zero - BoxClock.tolerance
    }
  }

  /// How far servers of Box may be apart. A date in the zone of another hour is farther off.
  static let tolerance = Duration.seconds(600)
  /// How long a stream may have been stopped for its first date to be believed at once.
  static let expectedStop = Duration.seconds(86_400)

  private var believed: Answer?
  private var doubted: Answer?

  /// An answer has an unexpected date that the next one may confirm.
  var isInDoubt: Bool { doubted != nil }

  /// How long ago a moment of Box's clock was, at `now`. Nil before the first date.
  func age(of moment: BoxTime, at now: FeedInstant) -> Duration? {
    believed.map { max(.zero, $0.date.since(moment) + $0.at.duration(to: now)) }
  }

  /// Takes an answer's date, and tells whether it is believed.
  /// - Parameter saved: a date that was believed by the process before.
  mutating func take(_ date: BoxTime, after saved: BoxTime?, at now: FeedInstant) -> Bool {
    let answer = Answer(date: date, at: now)
    let isBelieved = isExpected(answer, after: saved) || doubted.map(answer.agrees) == true
    if isBelieved { (believed, doubted) = (answer, nil) } else { doubted = answer }
    return isBelieved
  }

  private func isExpected(_ answer: Answer, after saved: BoxTime?) -> Bool {
    if let believed { return answer.agrees(with: believed) }
    guard let stopped = saved.map(answer.date.since) else { return true }
    return stopped >= .zero - Self.tolerance && stopped <= Self.expectedStop
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
