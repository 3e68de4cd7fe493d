import BoxEvents

/// What a stream is doing, as `status`, the metrics and `STATUS=` name it.
package enum StreamState: String, Sendable, Hashable, CaseIterable, Codable {
  case starting
  /// Reading pages and committing them.
  case reading
  /// Caught up, waiting for Box to report a change.
  case polling
  /// Between two attempts: back-off, or the spacing of reads that bring nothing.
  case waiting
  /// Box keeps serving a full page of known events; reading can't get past it.
  case stalled
  /// The disk is full; nothing is read until there is free space.
  case paused
  /// Operator action required; the message names it.
  case blocked
  case stopped

  init(_ condition: FeedCondition) {
    switch condition {
    case .reading: self = .reading
    case .polling: self = .polling
    case .waiting: self = .waiting
    case .stalled: self = .stalled
    case .paused: self = .paused
    case .blocked: self = .blocked
    }
  }
}

/// Why a stream goes on only after an operator's action.
struct OperatorActionRequired: ExplainedError, Hashable, Sendable {
  enum Remedy: Hashable, Sendable {
    /// Sign in again.
    case signIn
    /// Set the stream's position or repair its state.
    case data
  }

  var remedy: Remedy
  var message: String
  var hint: String?

  init(_ failure: FeedFailure) {
    remedy = failure.code == .signInRefused ? .signIn : .data
    message = failure.message
    hint = failure.hint
  }

  init(_ failure: StoreFailure) {
    remedy = .data
    message = failure.message
    hint = failure.hint
  }
}
