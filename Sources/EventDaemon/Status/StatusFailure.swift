import BoxEvents

/// Why the daemon can't be asked, or can't answer.
package struct StatusFailure: ExplainedError, Hashable, Sendable {
  package enum Code: Hashable, Sendable {
    /// Nobody listens on the socket.
    case notRunning
    case permissionDenied
    /// The daemon took the connection and didn't answer in time.
    case unresponsive
    /// An answer that is none of ours.
    case unreadable
    /// The socket or port can't be listened on.
    case notListening
  }

  package var code: Code
  /// What is wrong.
  package var message: String
  /// What to do.
  package var hint: String?
  /// The system's error number, where a call failed.
  package var errno: CInt?

  package init(_ code: Code, _ message: String, hint: String, errno: CInt? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.errno = errno
  }
}
