import BoxEvents

extension EventBatch {
  /// Fresh events take a few seconds to appear; later than this is late.
  private static let usualDelay: Double = 10

  /// How many of the new events had happened well before a moment when Box showed nothing more.
  /// - Parameter dryAt: Box's time then; both times are of Box's clock.
  func lateEvents(whenDryAt dryAt: BoxTime) -> Int {
    new.count { index in
      let createdAt = page.events[index].createdAt
      guard let seconds = EventTime.secondsSince1970(page.bytes[createdAt]) else { return false }
      return seconds < Double(dryAt.secondsSince1970) - Self.usualDelay
    }
  }
}
