package import Glibc
import Spool

extension Configuration {
  /// The process that holds the lock of the state or the spool now; nil where none does, or where this user can't see it.
  package var runningDaemon: pid_t? {
    [state.directory, spool.directory].lazy.compactMap { InstanceLock.runningHolder(of: $0) }.first
  }
}

extension StatusFailure {
  /// Nothing listens on the socket of a daemon that runs.
  package init(of daemon: pid_t, socket: String, unit: String) {
    self.init(
      .notRunning, "box-eventd runs as process \(daemon), but nothing listens on \(socket)",
      hint: "The daemon makes a socket that was removed again within 10 s. If it doesn't, run: "
        + "systemctl restart \(unit).")
  }
}
