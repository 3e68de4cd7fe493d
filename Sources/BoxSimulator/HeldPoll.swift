/// A long poll that waits for something new in its feed.
struct HeldPoll: Sendable {
  let feed: FeedKey
  /// Answers it; called at most once, on any thread.
  let wake: @Sendable () -> Void
}
