/// What a stream is doing, as `status`, the metrics and `STATUS=` name it.
package enum StreamState: String, Sendable, Hashable, CaseIterable, Codable {
  case starting
  /// Reading pages and committing them.
  case reading
  /// Caught up, waiting for Box to say that something happened.
  case polling
  /// Between two attempts: back-off, or the spacing of reads that bring nothing.
  case waiting
  /// Box keeps serving a full page of known events; reading can't get past it.
  case stalled
  /// The disk has too little room; nothing is read until there is more.
  case paused
  /// Goes on only when a person acts; the message says how.
  case blocked
  case stopped
}
