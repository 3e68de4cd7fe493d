public import BoxEvents

/// Why the daemon can't be asked, or can't answer.
public struct StatusFailure: ExplainedError, Hashable, Sendable {
  public enum Code: Hashable, Sendable {
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

  public var code: Code
  /// What is wrong.
  public var message: String
  /// What to do.
  public var hint: String?
  /// The system's error number, where a call failed.
  public var errno: CInt?

  public init(_ code: Code, _ message: String, hint: String, errno: CInt? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.errno = errno
  }
}
