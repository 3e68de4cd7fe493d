/// Told of each request when it has ended, for metrics.
///
/// - `endpoint`: `events`, `options`, `poll` or `token`.
/// - `code`: the HTTP status, or ``FeedFailure/Code``'s raw value where there was no answer.
package typealias RequestObserver =
  @Sendable (_ endpoint: String, _ code: String, _ duration: Duration) -> Void
