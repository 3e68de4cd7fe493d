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

    func take(_ line: LogQueue.Line) {
      while !isOpen.load(ordering: .acquiring) { usleep(1000) }
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
    // Returns although nothing is delivered.
    for number in 0..<count { queue.append(line("\(number)")) }
    gate.isOpen.store(true, ordering: .releasing)
    await queue.delivered()
    queue.append(line("afterwards"))
    await queue.delivered()
    let lines = gate.lines.withLock { $0 }
    // One line may have left the queue before it was full.
    let kept = lines.filter { !$0.hasPrefix("log lines were dropped") }
    #expect(kept.count - 1 == LogQueue.limit || kept.count - 1 == LogQueue.limit + 1)
    #expect(kept.dropLast() == (0..<(kept.count - 1)).map { "\($0) " }[...])
    #expect(kept.last == "afterwards ")
    // The report is where the lines are missing.
    #expect(lines.dropLast().last?.hasPrefix("log lines were dropped") == true)
    let reports = lines.filter { $0.hasPrefix("log lines were dropped") }
    #expect(reports == ["log lines were dropped: the log took none for a while \(count - kept.count + 1)"])
  }
}
