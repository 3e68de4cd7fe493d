import Logging
import Testing

@testable import Systemd

/// A log that takes no lines holds up the queue alone.
@Suite(.timeLimit(.minutes(1))) struct LogQueueTests {
  private func queue(to gate: Gate) -> LogQueue {
    LogQueue { gate.take("\($0.event.message) \($0.metadata["lines"] ?? "")") }
  }

  private func line(_ text: String) -> LogQueue.Line {
    let event = LogEvent(
      level: .info, message: "\(text)", metadata: nil, source: nil, file: "", function: "", line: 1)
    return .init(event: event, metadata: [:], destination: .standardError, time: 0)
  }

  @Test func deliversInOrder() async {
    let gate = Gate()
    gate.open()
    let queue = queue(to: gate)
    for number in 0..<500 { queue.append(line("\(number)")) }
    await queue.delivered()
    #expect(gate.texts == (0..<500).map { "\($0) " })
  }

  @Test func dropsAndCountsWhatALogDoesNotTake() async {
    let gate = Gate()
    let queue = queue(to: gate)
    let count = LogQueue.limit + 500
    queue.append(line("0"))
    // This line has left the queue; whenever it did so later, the queue would have space for one more.
    for await _ in gate.arrival {}
    // Returns although nothing is delivered.
    for number in 1..<count { queue.append(line("\(number)")) }
    gate.open()
    await queue.delivered()
    queue.append(line("afterwards"))
    await queue.delivered()
    #expect(gate.isInTime)
    // The report is where the lines are missing.
    let report = "log lines were dropped: the log took none for a while \(count - LogQueue.limit - 1)"
    #expect(
      gate.texts == (0...LogQueue.limit).map { "\($0) " } + [report, "afterwards "])
  }
}
