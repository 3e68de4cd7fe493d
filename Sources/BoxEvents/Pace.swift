/// A bucket of turns: so many at once, then one each interval. A value without a clock.
///
/// Source: ITU-T I.371, the generic cell rate algorithm as virtual scheduling.
package struct Pace: Hashable, Sendable {
  /// Between two turns of a bucket that is always empty.
  package let interval: Duration
  /// How many turns are saved up at most; one more may be taken at once.
  package let reserve: Int
  private var paidUntil: FeedInstant?

  package init(interval: Duration, reserve: Int) {
    self.interval = interval
    self.reserve = reserve
  }

  /// At most `count` turns in any minute: a tenth of them at once, the others evenly over the minute.
  package init(perMinute count: Int) {
    let count = max(1, count)
    let steady = count - count / 10
    // Rounded up, so that no minute has one turn more.
    self.init(interval: .nanoseconds((60_000_000_000 + steady - 1) / steady), reserve: count / 10)
  }

  package mutating func spend(at now: FeedInstant) {
    paidUntil = max(paidUntil ?? now, now) + interval
  }

  /// When the next turn may be taken; nil before the first.
  package var next: FeedInstant? { paidUntil?.advanced(by: .zero - interval * reserve) }

  /// How long from `now` until the turn after `ahead` others, each taken as soon as it may be.
  package func wait(ahead: Int, at now: FeedInstant) -> Duration {
    max(.zero, next.map { now.duration(to: $0) } ?? .zero) + interval * ahead
  }
}
