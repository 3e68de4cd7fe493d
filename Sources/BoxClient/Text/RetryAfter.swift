import BoxEvents

/// The header `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date.
enum RetryAfter {
  /// Whatever a server asks for, it is not left alone longer than this.
  static let maximum = Duration.seconds(3600)

  /// How long to wait; nil where the header says nothing usable: no number, no date, not in the future.
  /// - Parameter now: the time of the answer, by the same clock as the date in the header.
  static func parse(_ text: String, now: BoxTime) -> Duration? {
    let text = text.drop { $0 == " " }.prefix { $0 != "\r" && $0 != "\n" }
    if !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
      guard let seconds = Int64(text) else { return maximum }  // more digits than an Int64 holds
      return bounded(.seconds(min(seconds, 86_400)))
    }
    return UTCDate(httpDate: text).flatMap { bounded(BoxTime($0).since(now)) }
  }

  private static func bounded(_ duration: Duration) -> Duration? {
    duration > .zero ? min(duration, maximum) : nil
  }
}
