import Logging
import Synchronization
import Systemd

/// What was logged, in order, from a level on.
final class RecordedLog: Sendable {
  struct Entry: Sendable {
    var level: Logger.Level
    var message: String
    var metadata: [String: String]

    /// The message's id, if it has one.
    var id: MessageID? { metadata[MessageID.metadataKey].flatMap { MessageID(rawValue: $0) } }
  }

  private let state = Mutex([Entry]())
  private let level: Logger.Level

  init(from level: Logger.Level = .info) { self.level = level }

  var entries: [Entry] { state.withLock { $0 } }

  /// The entries since the last call.
  func taken() -> [Entry] {
    state.withLock { entries in
      defer { entries = [] }
      return entries
    }
  }

  var logger: Logger { Logger(label: "test") { _ in Handler(log: self, logLevel: level) } }

  private func add(_ entry: Entry) { state.withLock { $0.append(entry) } }

  private struct Handler: LogHandler {
    let log: RecordedLog
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      log.add(
        Entry(
          level: event.level, message: event.message.description, metadata: all.mapValues { $0.description }))
    }
  }
}
