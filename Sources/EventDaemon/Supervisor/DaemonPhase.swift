import Synchronization

/// How far the daemon is in its life, shared between the services.
final class DaemonPhase: Sendable {
  private let current = Mutex(DaemonSnapshot.Phase.starting)

  var value: DaemonSnapshot.Phase {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
