package import Logging

/// The conditions an operator acts on, each with an id that never changes.
///
/// `journalctl MESSAGE_ID=…` finds every occurrence, and `journalctl -x` explains it from the entry of the same id in
/// `packaging/systemd/box-eventd.catalog`. See sd-id128(3) and systemd.journal-fields(7), and for the steps to
/// add one `Sources/README.md`.
package enum MessageID: String, Hashable, Sendable, CaseIterable {
  // The daemon.
  case started = "b56c7f3cfa7945fbafc817ec430e4db3"
  case stopping = "01239465e94c471d9fcc9281fc8160ed"
  case stopped = "5b03fe736b0d487a8fd53ad62c3903be"
  case reloaded = "47b06ea47d394713a6b56fee1099c9c9"
  case configurationRejected = "2e857d18cb0d44d089b0ba12ebed41a0"
  case watchdogWithheld = "649ed21e8ecd44ee88372a866c2bdcb1"
  /// The TCP address of [status], or a socket that was removed.
  case notListening = "cf4b6c3c5b7d495a9bebd0001d061755"

  // Box.
  case signedIn = "0a366edc5a9c49d7b6a830c8d03ccbed"
  /// Any sign-in that failed, also one that Box didn't answer.
  case signInRefused = "d37160ba6ffa4b07a013a2c881721320"
  case boxUnreachable = "d8cb33ced2ca41c592e59a6c7cb30f1a"
  case boxBack = "d6f792f5937749238f0f647a9b00f2c3"
  case realtimeRefused = "091dc311ff444ee9990b0cf564de46ab"

  // A stream.
  case caughtUp = "e7680e8d57a34a5fb6d4628e5ae1d8c5"
  case streamStalled = "bccaa6880ba7422bb9bf056027defb7c"
  case streamBlocked = "41b645357c78470fbd8038bc6cc52235"
  case gap = "b9077b20d9c643d8a9e6434b778de87a"
  case retentionWarning = "2b45feea514943c6abdcc65f67e78ea1"
  case quarantined = "c560b6f4fd2142f48a2c989018f58b6f"

  // The disk.
  case paused = "ce4dab3ffe06411aa4158943bbb01f55"
  case resumed = "2bc3d3a771ed4893a7270326f8629431"
  case syncFailed = "3fc55aec2f434b46997842138e36de1e"
  case positionRebuilt = "d2b5b8fb24624f9f8e55fcccbbe78b5a"

  /// The metadata key that carries an id to the log handlers.
  package static let metadataKey = "message_id"

  /// The metadata a message with this id must carry, since its catalog entry refers to it: journalctl
  /// shows the bare name of a field that is missing.
  package var requiredMetadata: Set<String> {
    switch self {
    case .started, .stopping, .stopped, .reloaded, .signedIn, .boxBack: []
    case .configurationRejected, .watchdogWithheld, .notListening, .signInRefused, .boxUnreachable,
      .syncFailed:
      ["detail"]
    case .caughtUp, .streamStalled, .quarantined, .resumed, .positionRebuilt: ["stream"]
    case .realtimeRefused, .streamBlocked, .gap, .retentionWarning, .paused: ["stream", "detail"]
    }
  }
}

extension Logger {
  /// Logs a condition an operator acts on.
  ///
  ///     logger.log(level: .notice, "caught up", id: .caughtUp, metadata: ["position": "\(position)"])
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
    // `stream` may be the logger's, which not every handler tells.
    assert(
      id.requiredMetadata.allSatisfy { $0 == "stream" || metadata()[$0] != nil },
      "\(file):\(line): the entry of \(id) refers to \(id.requiredMetadata.sorted())")
    log(
      level: level, message(),
      metadata: metadata().merging([MessageID.metadataKey: "\(id.rawValue)"]) { $1 },
      file: file, function: function, line: line)
  }
}
