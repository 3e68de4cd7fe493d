package import Logging

/// Where log lines go.
package enum LogDestination: String, Hashable, Sendable, CaseIterable {
  /// The journal, with native fields.
  case journal
  case standardError

  /// The journal when standard error leads there, else standard error.
  package static var current: LogDestination {
    Journal.isConnected ? .journal : .standardError
  }

  /// A handler for this destination.
  /// - Parameter threshold: the level every handler made with it follows; change it to change them all.
  package func handler(threshold: LogThreshold) -> any LogHandler {
    switch self {
    case .journal: JournalLogHandler(threshold: threshold)
    case .standardError: StandardErrorLogHandler(threshold: threshold)
    }
  }

  /// A logger for this destination.
  package func logger(label: String = "box-eventd", threshold: LogThreshold) -> Logger {
    Logger(label: label) { _ in handler(threshold: threshold) }
  }
}
