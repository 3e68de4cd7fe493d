package import Logging

extension Logger {
  /// Logs a condition an operator acts on.
  ///
  ///     logger.notice("Caught up", id: .caughtUp, metadata: ["position": "\(position)"])
  ///
  /// - Parameters:
  ///   - message: a constant sentence.
  ///   - id: leads to the condition's entry in the journal's catalog.
  ///   - metadata: the values, among them the id's ``MessageID/requiredMetadata``; `stream`, `detail` and
  ///     `hint` have a place of their own in the line.
  package func log(
    level: Logger.Level, _ message: @autoclosure () -> Logger.Message, id: MessageID,
    metadata: @autoclosure () -> Logger.Metadata = [:],
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(
      level: level, message(),
      metadata: metadata().merging([MessageID.metadataKey: "\(id.rawValue)"]) { $1 },
      file: file, function: function, line: line)
  }

  /// Logs a condition an operator acts on, at level `info`.
  package func info(
    _ message: @autoclosure () -> Logger.Message, id: MessageID,
    metadata: @autoclosure () -> Logger.Metadata = [:],
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(
      level: .info, message(), id: id, metadata: metadata(), file: file, function: function, line: line)
  }

  /// Logs a condition an operator acts on, at level `notice`.
  package func notice(
    _ message: @autoclosure () -> Logger.Message, id: MessageID,
    metadata: @autoclosure () -> Logger.Metadata = [:],
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(
      level: .notice, message(), id: id, metadata: metadata(), file: file, function: function, line: line)
  }

  /// Logs a condition an operator acts on, at level `warning`.
  package func warning(
    _ message: @autoclosure () -> Logger.Message, id: MessageID,
    metadata: @autoclosure () -> Logger.Metadata = [:],
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(
      level: .warning, message(), id: id, metadata: metadata(), file: file, function: function, line: line)
  }

  /// Logs a condition an operator acts on, at level `error`.
  package func error(
    _ message: @autoclosure () -> Logger.Message, id: MessageID,
    metadata: @autoclosure () -> Logger.Metadata = [:],
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(
      level: .error, message(), id: id, metadata: metadata(), file: file, function: function, line: line)
  }

  /// Logs a condition an operator acts on, at level `critical`.
  package func critical(
    _ message: @autoclosure () -> Logger.Message, id: MessageID,
    metadata: @autoclosure () -> Logger.Metadata = [:],
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(
      level: .critical, message(), id: id, metadata: metadata(), file: file, function: function, line: line)
  }
}
