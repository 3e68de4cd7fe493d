import Glibc
import Synchronization
import UnixSignals

/// The signals the daemon handles.
package struct DaemonSignals: Sendable {
  /// SIGTERM, SIGINT: stop in order.
  let stop: UnixSignalsSequence
  /// SIGHUP: reload.
  let reload: UnixSignalsSequence

  private static let isReloadHeld = Atomic(false)

  /// Keeps signals from ending the process before they are trapped: the first thing that `run` does. A reload that is
  /// asked for now is done once the daemon runs. SIGTERM and SIGINT end the process as they would end any other:
  /// nothing has begun.
  package static func hold() {
    // A closed pipe, or a file at its limit, fails the write. The others are for programs that expect them.
    for number in [SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
    // Made now, since a handler may not allocate.
    _ = isReloadHeld.load(ordering: .relaxed)
    signal(SIGHUP) { _ in DaemonSignals.isReloadHeld.store(true, ordering: .relaxed) }
  }

  /// Traps them, and sends a reload that was held to the process again.
  init() async {
    stop = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    reload = await UnixSignalsSequence(trapping: .sighup)
    if Self.isReloadHeld.exchange(false, ordering: .relaxed) { kill(getpid(), SIGHUP) }
  }
}
