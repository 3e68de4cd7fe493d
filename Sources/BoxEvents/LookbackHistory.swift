/// Where a stream has been lately: positions with the moment and the count of events since when each
/// was in force.
struct LookbackHistory: Hashable, Sendable {
  private struct Point: Hashable, Sendable {
    var position: ReadPosition
    var since: FeedInstant
    var events: Int
  }

  /// How many events may lie behind the oldest position.
  let limit: Int
  /// How far apart positions are kept, unless as many events as a tenth of `limit` lie between them.
  let spacing: Duration
  private var points: [Point] = []
  private var events = 0

  init(limit: Int, spacing: Duration) {
    self.limit = limit
    self.spacing = spacing
  }

  /// The oldest position that is kept.
  var start: ReadPosition? { points.first?.position }

  /// The stream goes on from another position, behind new events.
  mutating func pass(_ position: ReadPosition, new: Int, at now: FeedInstant) {
    events += new
    if isFarFromLast(position, now) {
      points.append(Point(position: position, since: now, events: events))
    }
    while let first = points.first, events - first.events > limit { points.removeFirst() }
  }

  private func isFarFromLast(_ position: ReadPosition, _ now: FeedInstant) -> Bool {
    guard let last = points.last else { return true }
    return position != last.position
      && (now >= last.since + spacing || events - last.events >= limit / 10)
  }

  /// Forgets what was in force only before a moment.
  mutating func forget(before moment: FeedInstant) {
    while points.count > 1, points[1].since <= moment { points.removeFirst() }
  }
}
