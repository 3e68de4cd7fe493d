/// Why a read, a subscription or a poll brought nothing: the one error type of every source.
package struct FeedFailure: ExplainedError, Hashable, Sendable {
  /// For an answer that isn't Box's.
  package static let foreignHint = "A proxy, or a network's sign-in page, may have answered in Box's place."

  /// What the feed's rules distinguish. Everything else about a failure is for the operator.
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// No answer, or half of one: connection refused or reset, name not resolved, TLS, a time limit.
    case unreachable
    /// 429: too many calls.
    case throttled
    /// 5xx and any status without a rule of its own.
    case serverError
    /// 401, also with a token that had just been renewed.
    case unauthorized
    /// 403.
    case forbidden
    /// Another 4xx: Box refuses the request itself, for example the position in it.
    case refused
    /// An answer with status 200 that is not Box's: a gateway's HTML, nothing, a server without a URL.
    case unreadable
    /// A page of events that can't be read to its end.
    case malformedPage
    /// A body above the configured limit.
    case tooLarge
    /// A realtime URL outside the allowed hosts, or no URL at all.
    case realtimeRefused
    /// No access token for now; trying again may help.
    case signInFailed
    /// No access token until an operator signs in: a refresh token that Box refuses.
    case signInRefused
    /// The work was cancelled: the daemon stops.
    case cancelled
  }

  /// How a server that had been reached ended an exchange without an answer.
  package enum Interruption: Hashable, Sendable {
    /// It closed or reset the connection.
    case closed
    /// Nothing came within the time limit, or the connection turned out dead.
    case timedOut
  }

  package var code: Code
  /// What happened, one line, no secrets: `Box answered 503`.
  package var message: String
  /// What to do about it, when there is something to do.
  package var hint: String?
  /// The HTTP status, where there was one.
  package var status: Int?
  /// Box's `request_id` or `box-request-id`.
  package var requestID: String?
  /// Nil where there was an answer, or no connection.
  package var interruption: Interruption?
  /// Of OPTIONS or a long poll: only realtime notifications are missing, the stream is read meanwhile.
  package var isOfRealtime = false
  /// How long the server asked to be left alone, already bounded to an hour.
  package var retryAfter: Duration?

  package init(
    _ code: Code, _ message: String, hint: String? = nil, status: Int? = nil,
    requestID: String? = nil, retryAfter: Duration? = nil
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.status = status
    self.requestID = requestID
    self.retryAfter = retryAfter
  }
}

/// An error with what happened and what to do about it. Every error type of this package conforms.
package protocol ExplainedError: Error {
  /// What happened to what, with the value and where it came from. One line, no secrets, no full stop:
  /// `cannot sync /var/spool/box-eventd/default/events-0.ndjson: Input/output error`.
  var message: String { get }
  /// What to do: sentences that begin with a capital letter and end with a full stop. Nil: only wait.
  var hint: String? { get }
}

extension ExplainedError {
  /// Both in one line: `the token is refused. Run: box-eventd login.`
  package var explanation: String { hint.map { "\(message). \($0)" } ?? message }
}
