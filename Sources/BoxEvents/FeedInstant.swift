/// A moment on a clock that never goes back, counted from an origin of no meaning.
///
/// The heart has no clock: every input says when it was.
public struct FeedInstant: InstantProtocol, Hashable, Sendable {
  public var sinceOrigin: Duration

  public init(sinceOrigin: Duration) {
    self.sinceOrigin = sinceOrigin
  }

  public func advanced(by duration: Duration) -> FeedInstant {
    FeedInstant(sinceOrigin: sinceOrigin + duration)
  }

  public func duration(to other: FeedInstant) -> Duration {
    other.sinceOrigin - sinceOrigin
  }

  public static func < (left: FeedInstant, right: FeedInstant) -> Bool {
    left.sinceOrigin < right.sinceOrigin
  }

  public static func + (instant: FeedInstant, duration: Duration) -> FeedInstant {
    instant.advanced(by: duration)
  }
}
