import Testing

@testable import Systemd

/// A service manager that reads no messages holds up the queue alone.
@Suite(.timeLimit(.minutes(1))) struct NotificationQueueTests {
  @Test func deliversInOrder() async {
    let gate = Gate()
    gate.open()
    let queue = NotificationQueue { gate.take($0) }
    queue.append(["READY=1", "STATUS=Streaming 1 stream"])
    await queue.delivered()
    queue.append(["STATUS=Streaming 2 streams"])
    queue.append(["STOPPING=1"])
    await queue.delivered()
    #expect(
      gate.texts == ["READY=1\nSTATUS=Streaming 1 stream", "STATUS=Streaming 2 streams", "STOPPING=1"])
  }

  @Test func keepsTheNewestOfEachFieldForAManagerThatReadsNothing() async {
    let gate = Gate()
    let queue = NotificationQueue { gate.take($0) }
    queue.append(["READY=1"])
    // This message has left the queue.
    for await _ in gate.arrival {}
    // Returns although nothing is delivered.
    for count in 1...1000 {
      queue.append(["EXTEND_TIMEOUT_USEC=\(count)", "STATUS=Waiting"])
      queue.append(["WATCHDOG=1"])
      queue.append(["RELOADING=1\nMONOTONIC_USEC=\(count)"])
      queue.append(["READY=1", "STATUS=Streaming \(count) streams"])
    }
    queue.append(["STOPPING=1", "STATUS=Stopping"])
    gate.open()
    await queue.delivered()
    #expect(gate.isInTime)
    #expect(
      gate.texts == [
        "READY=1", "EXTEND_TIMEOUT_USEC=1000", "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=1000", "READY=1",
        "STOPPING=1\nSTATUS=Stopping",
      ])
  }
}
