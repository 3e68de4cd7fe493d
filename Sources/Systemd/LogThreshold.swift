package import Logging
import Synchronization

/// The level from which on messages are logged, shared by every logger of the process, so that a
/// reload changes it everywhere at once.
package final class LogThreshold: Sendable {
  private let current: Mutex<Logger.Level>

  package init(_ level: Logger.Level) {
    current = Mutex(level)
  }

  package var level: Logger.Level {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
