import Glibc
import Logging
import Synchronization
import Testing

@testable import Systemd

/// A log that takes no lines holds up the queue alone.
@Suite(.timeLimit(.minutes(1))) struct LogQueueTests {
  /// Takes no line before it is opened.
  private final class Gate: Sendable {
    let lines = Mutex<[String]>([])
    let isOpen = Atomic(false)
    /// Not opened for long: it no longer holds its callers up.
    let isOverdue = Atomic(false)
    /// Ends when a line is at the gate.
    let (arrival, arrived) = AsyncStream.makeStream(of: Never.self)

    func take(_ line: LogQueue.Line) {
      arrived.finish()
      let deadline = ContinuousClock.now + .seconds(30)
      while !isOpen.load(ordering: .acquiring), !isOverdue.load(ordering: .acquiring) {
        usleep(1000)
        if ContinuousClock.now > deadline { isOverdue.store(true, ordering: .releasing) }
      }
      lines.withLock { $0.append("\(line.event.message) \(line.metadata["lines"] ?? "")") }
    }
  }

  private func line(_ text: String) -> LogQueue.Line {
    let event = LogEvent(
      level: .info, message: "\(text)", metadata: nil, source: nil, file: "", function: "", line: 1)
    return .init(event: event, metadata: [:], destination: .standardError, time: 0)
  }

  @Test func deliversInOrder() async {
    let gate = Gate()
    gate.isOpen.store(true, ordering: .releasing)
    let queue = LogQueue { gate.take($0) }
    for number in 0..<500 { queue.append(line("\(number)")) }
    await queue.delivered()
    #expect(gate.lines.withLock { $0 } == (0..<500).map { "\($0) " })
  }

  @Test func dropsAndCountsWhatALogDoesNotTake() async {
    let gate = Gate()
    let queue = LogQueue { gate.take($0) }
    let count = LogQueue.limit + 500
    queue.append(line("0"))
    // This line has left the queue; whenever it did so later, the queue would have space for one more.
    for await _ in gate.arrival {}
    // Returns although nothing is delivered.
    for number in 1..<count { queue.append(line("\(number)")) }
    gate.isOpen.store(true, ordering: .releasing)
    await queue.delivered()
    queue.append(line("afterwards"))
    await queue.delivered()
    let isInTime = !gate.isOverdue.load(ordering: .acquiring)
    #expect(isInTime)
    // The report is where the lines are missing.
    let report = "log lines were dropped: the log took none for a while \(count - LogQueue.limit - 1)"
    #expect(
      gate.lines.withLock { $0 } == (0...LogQueue.limit).map { "\($0) " } + [report, "afterwards "])
  }
}
