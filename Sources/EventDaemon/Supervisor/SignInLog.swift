import BoxClient
import BoxEvents
import Logging
import Synchronization
import Systemd

/// Logs signing in: a line for each change; repeated failures at every power of two. Streams don't log them.
final class SignInLog: Sendable {
  private let logger: Logger
  private let state = Mutex((failures: 0, hasSignedIn: false))

  init(logger: Logger, subject: Subject?) {
    var logger = logger
    if let subject { logger[metadataKey: "subject"] = "\(subject)" }
    self.logger = logger
  }

  /// - Returns: whether signing in works again.
  func observe(_ event: AccessTokens.Event) -> Bool {
    switch event {
    case .signedIn(let lifetime):
      let previous = state.withLock { state in
        defer { state = (0, true) }
        return state
      }
      guard previous.failures > 0 || !previous.hasSignedIn else {
        logger.debug("access token renewed")
        return false
      }
      if let seconds = lifetime?.components.seconds {
        logger.log(
          level: .notice, "signed in to Box", id: .signedIn, metadata: ["lifetime_seconds": "\(seconds)"])
      } else {
        // Box has not seen it yet.
        logger.notice("access token read")
      }
      return previous.failures > 0
    case .failed(let failure):
      let count = state.withLock { state in
        state.failures += 1
        return state.failures
      }
      guard count.isPowerOfTwo else { return false }
      logger.log(
        level: failure.code == .signInRefused ? .error : .warning, "cannot sign in", id: .signInRefused,
        metadata: ["times": "\(count)"].explaining(failure))
      return false
    }
  }
}
