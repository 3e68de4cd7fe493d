import BoxEvents

extension EventBatch {
  /// Fresh events take a few seconds to appear; later than this is late.
  private static let usualDelay = Duration.seconds(10)

  /// How many of the new events had happened well before a moment when Box showed nothing more.
  /// - Parameter caughtUpAt: Box's time then; both times are of Box's clock.
  func lateEvents(whenCaughtUpAt caughtUpAt: BoxTime) -> Int {
    new.count { index in
      let createdAt = page.events[index].createdAt
      guard let date = UTCDate(rfc3339: page.bytes[createdAt]) else { return false }
      return BoxTime(date).since(caughtUpAt) < .zero - Self.usualDelay
    }
  }
}
