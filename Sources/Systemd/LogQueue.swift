import Dispatch
import Logging
import Synchronization

/// Log lines on their way out, so that a journal or a pipe that takes none holds up this queue and nothing else.
///
/// One thread delivers them in order, and may wait there for ever. ``limit`` lines wait with it; further ones are
/// dropped and counted. The next line that is delivered is followed by one with their number.
package final class LogQueue: Sendable {
  /// A line before it is formatted.
  struct Line: Sendable {
    var event: LogEvent
    /// Everything that counts for the event, the logger's included.
    var metadata: Logger.Metadata
    var destination: LogDestination
    /// Seconds since 1970.
    var time: Int64
  }

  private struct State {
    var waiting: [Line] = []
    var dropped = 0
    var isDelivering = false
  }

  /// The queue of this process.
  package static let process = LogQueue { $0.deliver() }
  /// About a megabyte at most lengths; a daemon at work logs a few lines an hour.
  static let limit = 1000

  private let state = Mutex(State())
  private let thread = DispatchQueue(label: "box-eventd.log")
  private let deliver: @Sendable (Line) -> Void

  init(_ deliver: @escaping @Sendable (Line) -> Void) { self.deliver = deliver }

  /// Returns at once.
  func append(_ line: Line) {
    let mustStart = state.withLock { state in
      guard state.waiting.count < Self.limit else {
        state.dropped += 1
        return false
      }
      state.waiting.append(line)
      defer { state.isDelivering = true }
      return !state.isDelivering
    }
    if mustStart { thread.async { self.deliverAll() } }
  }

  /// Returns when all lines so far are delivered: perhaps never.
  package func delivered() async {
    await withCheckedContinuation { continuation in thread.async { continuation.resume() } }
  }

  private func deliverAll() {
    while let line = next() {
      deliver(line)
      let dropped = state.withLock { state in
        defer { state.dropped = 0 }
        return state.dropped
      }
      if dropped > 0 { deliver(line.reporting(dropped: dropped)) }
    }
  }

  private func next() -> Line? {
    state.withLock { state in
      state.isDelivering = !state.waiting.isEmpty
      return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
    }
  }
}

extension LogQueue.Line {
  /// The line for so many that were dropped behind this one, to the same place.
  fileprivate func reporting(dropped: Int) -> LogQueue.Line {
    var line = self
    line.event = LogEvent(
      level: .warning, message: "log lines were dropped: the log took none for a while",
      metadata: nil, source: nil, file: #fileID, function: #function, line: #line)
    line.metadata = ["lines": "\(dropped)"]
    return line
  }

  fileprivate func deliver() {
    // Where the journal's socket fails, its stream on standard error may still work.
    if destination == .journal, Journal.send(JournalEntry(event, metadata: metadata)) { return }
    StandardError.write(SystemdLogHandler.line(event, metadata: metadata, time: time))
  }
}
