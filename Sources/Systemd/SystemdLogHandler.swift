import BoxEvents
import Glibc
package import Logging
import Synchronization

/// Logs to systemd's journal, with a field for each value, or to standard error, a line an event.
///
/// A call returns at once: a ``LogQueue`` delivers. `MESSAGE=` is the line for people (see ``LogText``). A
/// metadata key becomes a field in capitals after `BOX_`: `journalctl BOX_STREAM=default -o json`;
/// `message_id` becomes `MESSAGE_ID`, which leads to the catalog.
struct SystemdLogHandler: LogHandler {
  let destination: LogDestination
  /// The level this handler follows until it is given one of its own.
  let threshold: LogThreshold
  var ownLevel: Logger.Level?
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var queue = LogQueue.process
  /// What the daemon adds to an event's values.
  var complete: @Sendable (Logger.Metadata) -> Logger.Metadata = { $0 }

  var logLevel: Logger.Level {
    get { ownLevel ?? threshold.level }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = complete(Self.merged(metadata, metadataProvider, event))
    queue.append(.init(event: event, metadata: all, destination: destination, time: Int64(time(nil))))
  }

  /// What counts for one event: the handler's, over it the provider's, over it the event's own. An error
  /// given to the logger is the `detail`, where there is no other.
  static func merged(
    _ own: Logger.Metadata, _ provider: Logger.MetadataProvider?, _ event: LogEvent
  ) -> Logger.Metadata {
    var all = own.merging(provider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
    if let error = event.error, all["detail"] == nil { all["detail"] = "\(error)" }
    return all
  }

  /// `2026-11-23T20:11:25Z warning default: sentence (status=503)`.
  /// - Parameter time: seconds since 1970.
  static func line(_ event: LogEvent, metadata: Logger.Metadata, time: Int64) -> String {
    "\(UTCDate(secondsSince1970: time).rfc3339) \(event.level) \(LogText(event.message, metadata: metadata))\n"
  }
}

/// Where log lines go.
package enum LogDestination: String, Hashable, Sendable, CaseIterable {
  /// The journal, with native fields.
  case journal
  case standardError

  /// The journal when standard error leads there, else standard error.
  package static var current: LogDestination { Journal.isConnected ? .journal : .standardError }

  /// A logger for this destination.
  /// - Parameters:
  ///   - threshold: the level every logger made with it follows; change it to change them all.
  ///   - complete: called with the values of each event, before they become text.
  package func logger(
    threshold: LogThreshold,
    completing complete: @escaping @Sendable (Logger.Metadata) -> Logger.Metadata = { $0 }
  ) -> Logger {
    Logger(label: "box-eventd") { _ in
      SystemdLogHandler(destination: self, threshold: threshold, complete: complete)
    }
  }
}

/// The level from which on messages are logged, shared by every logger of the process, so that a
/// reload changes it everywhere at once.
package final class LogThreshold: Sendable {
  private let current: Mutex<Logger.Level>

  package init(_ level: Logger.Level) { current = Mutex(level) }

  package var level: Logger.Level {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}

/// Standard error without a buffer: each line is one system call, so lines of several threads or
/// processes never mix.
enum StandardError {
  /// Writes all of it. A failure is ignored: there is no place left to report it.
  static func write(_ line: String, to descriptor: CInt = STDERR_FILENO) {
    var rest = Array(line.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if written == 0 || errno != EINTR {
        return
      }
    }
  }
}
