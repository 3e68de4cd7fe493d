import Dispatch
import Logging
import Synchronization

/// Log lines on their way out, so that a journal or a pipe that takes none holds up this queue and nothing else.
///
/// One thread delivers them in order, and may wait there for ever. ``limit`` lines wait with it; further ones are
/// dropped and counted, and a line with their number is put where they are missing.
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

    /// The line for what was dropped since the last report, to the same place as another line; nil if nothing was.
    mutating func report(like line: Line) -> Line? {
      defer { dropped = 0 }
      return dropped > 0 ? line.reporting(dropped: dropped) : nil
    }
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
      if let report = state.report(like: line) { state.waiting.append(report) }
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
    var last: Line?
    while let line = next(after: last) {
      deliver(line)
      last = line
    }
  }

  private func next(after last: Line?) -> Line? {
    state.withLock { state in
      if !state.waiting.isEmpty { return state.waiting.removeFirst() }
      let report = last.flatMap { state.report(like: $0) }
      state.isDelivering = report != nil
      return report
    }
  }
}

extension LogQueue.Line {
  /// The line for so many that were dropped, to the same place.
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
