import BoxEvents

/// How the process ends: the statuses of sysexits.h that the commands use.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  case success = 0
  case usage = 64
  /// A stream's position or spool needs a person.
  case data = 65
  /// The daemon doesn't run, or Box can't be reached.
  case unavailable = 69
  case software = 70
  case io = 74
  case alreadyRunning = 75
  /// Signing in needs a person.
  case signIn = 77
  case configuration = 78
}

/// Why the daemon, or a command, ends without success.
package struct DaemonFailure: ExplainedError, Hashable, Sendable {
  package var exit: ExitStatus
  /// What is wrong.
  package var message: String
  /// What to do.
  package var hint: String?
  package var errno: Int32?

  package init(_ exit: ExitStatus, _ message: String, hint: String?, errno: Int32? = nil) {
    self.exit = exit
    self.message = message
    self.hint = hint
    self.errno = errno
  }
}
