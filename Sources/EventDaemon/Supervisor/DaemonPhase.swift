import Synchronization

/// How far the daemon is in its life, shared between the services.
final class DaemonPhase: Sendable {
  private let current = Mutex(DaemonSnapshot.Phase.starting)

  var value: DaemonSnapshot.Phase { current.withLock { $0 } }

  /// Goes on to a later phase, and never back: who was asked to stop while starting is never ready.
  /// - Returns: whether it was in an earlier one.
  func advance(to phase: DaemonSnapshot.Phase) -> Bool {
    current.withLock { current in
      guard current < phase else { return false }
      current = phase
      return true
    }
  }
}
