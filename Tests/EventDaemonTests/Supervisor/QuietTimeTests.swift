import Testing

@testable import EventDaemon

@Suite(.timeLimit(.minutes(5))) struct QuietTimeTests {
  @Test func allThatWaitReturnAtATick() async throws {
    let ticks = Ticks(every: .milliseconds(20))
    try await withThrowingTaskGroup { group in
      for _ in 0..<10 {
        group.addTask { for _ in 0..<3 { try await ticks.next() } }
      }
      try await group.waitForAll()
    }
    // It has stopped, and begins to tick again.
    try await Task.sleep(for: .milliseconds(100))
    try await ticks.next()
  }

  @Test func aCancelledTaskWaitsForNoTick() async {
    let ticks = Ticks(every: .seconds(3600))
    let waiting = Task { try await ticks.next() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
  }

  @Test func letsGoOfCodeThatGoesOn() {
    for _ in 0..<3 { QuietTime.releaseMemory() }
    #expect([3, 1, 2].sorted() == [1, 2, 3])
  }

  @Test func aChangeIsSeenWhetherItComesBeforeTheWaitOrIn() async {
    let changes = ChangeSignal()
    for _ in 0..<100 { changes.set() }
    // All of these are one change.
    await changes.wait()
    let setting = Task {
      while !Task.isCancelled {
        changes.set()
        await Task.yield()
      }
    }
    for _ in 0..<1000 { await changes.wait() }
    setting.cancel()
  }

  @Test func aCancelledTaskWaitsForNoChange() async {
    let changes = ChangeSignal()
    let waiting = Task { await changes.wait() }
    waiting.cancel()
    await waiting.value
  }
}
