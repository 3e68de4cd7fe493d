import BoxEvents
package import Logging

/// Logs to standard error, a line an event: `2026-11-23T20:11:25Z warning default: sentence (status=503)`.
package struct StandardErrorLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  private let threshold: LogThreshold
  private var ownLevel: Logger.Level?

  /// - Parameter threshold: the level this handler follows until it is given one of its own.
  package init(threshold: LogThreshold) {
    self.threshold = threshold
  }

  package var logLevel: Logger.Level {
    get { ownLevel ?? threshold.level }
    set { ownLevel = newValue }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let all = metadata.merged(with: metadataProvider, and: event)
    StandardError.write(Self.line(event, metadata: all, time: StandardError.now))
  }

  /// - Parameter time: seconds since 1970.
  static func line(_ event: LogEvent, metadata: Logger.Metadata, time: Int) -> String {
    "\(UTCDate(secondsSince1970: Int64(time)).rfc3339) \(event.level) \(LogText(event.message, metadata: metadata))\n"
  }
}
