package import Logging

/// Logs to systemd's journal with a field for each value: `journalctl BOX_STREAM=default -o json`.
///
/// `MESSAGE=` is the line a person reads (see ``LogText``). A metadata key becomes a field in capitals
/// behind `BOX_`; `message_id` becomes `MESSAGE_ID`, which leads to the catalog.
package struct JournalLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  private let identifier: String
  private let threshold: LogThreshold
  private var ownLevel: Logger.Level?

  /// - Parameters:
  ///   - identifier: `SYSLOG_IDENTIFIER=`, what journalctl shows before the text.
  ///   - threshold: the level this handler follows until it is given one of its own.
  package init(identifier: String = "box-eventd", threshold: LogThreshold) {
    self.identifier = identifier
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
    guard !Journal.send(JournalEntry(event, metadata: all, identifier: identifier)) else { return }
    // The journal's socket failed; its stream on standard error may still work.
    StandardError.write(StandardErrorLogHandler.line(event, metadata: all, time: StandardError.now))
  }
}
