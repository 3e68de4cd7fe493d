/// A moment on a clock that never goes back, counted from an origin of no meaning.
///
/// The heart has no clock: every input says when it was.
package struct FeedInstant: InstantProtocol, Hashable, Sendable {
  package var sinceOrigin: Duration

  package init(sinceOrigin: Duration) {
    self.sinceOrigin = sinceOrigin
  }

  package func advanced(by duration: Duration) -> FeedInstant {
    FeedInstant(sinceOrigin: sinceOrigin + duration)
  }

  package func duration(to other: FeedInstant) -> Duration {
    other.sinceOrigin - sinceOrigin
  }

  package static func < (left: FeedInstant, right: FeedInstant) -> Bool {
    left.sinceOrigin < right.sinceOrigin
  }

  package static func + (instant: FeedInstant, duration: Duration) -> FeedInstant {
    instant.advanced(by: duration)
  }
}
