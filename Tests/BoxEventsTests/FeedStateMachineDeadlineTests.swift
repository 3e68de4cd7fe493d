import Testing

@testable import BoxEvents

/// How long each stage may take: what the driver gives it, and the watchdog after it.
@Suite struct FeedStateMachineDeadlineTests {
  private let feed = FeedStateMachineTests()

  private func expect(_ machine: FeedStateMachine, _ seconds: Double, _ what: Comment) {
    #expect(machine.deadline == feed.at(seconds), what)
  }

  @Test func everyStageHasItsDeadline() {
    var machine = feed.resumed()
    expect(machine, 720, "a read, with its retries")
    _ = machine.pageRead(feed.page(new: 1, "101"), at: feed.at(10))
    expect(machine, 40, "a commit")
    _ = machine.stored(at: feed.at(20))
    expect(machine, 740, "the next read")
    _ = machine.pageRead(feed.page("101"), at: feed.at(30))
    expect(machine, 750, "OPTIONS")
    let server = RealtimeServer(url: Secret("x"), retryTimeout: .seconds(200))
    _ = machine.subscribed(server, at: feed.at(40))
    expect(machine, 40 + 200 + 70, "a poll: what the server asks for, what the source adds and a minute")
    _ = machine.pollFailed(FeedFailure(.unreachable, "gone"), at: feed.at(50))
    _ = machine.readFailed(FeedFailure(.throttled, "429", retryAfter: .seconds(1000)), at: feed.at(60))
    expect(machine, 1060, "a wait: its own end")
  }

  @Test func stageRestartsItsTimeAfterAFullDisk() {
    var machine = feed.resumed()
    _ = machine.diskFull(feed.full, at: feed.at(0))
    expect(machine, 2, "the wait for free space")
    _ = machine.woke(at: feed.at(2))
    expect(machine, 722, "the read that checks again")
    _ = machine.pageRead(feed.page(new: 1, "101"), at: feed.at(3))
    _ = machine.diskFull(feed.full, at: feed.at(4))
    _ = machine.woke(at: feed.at(6))
    expect(machine, 36, "the commit that is tried again")
  }

  @Test func earlyWakeChangesNothing() {
    var machine = feed.resumed()
    let wait = machine.readFailed(FeedFailure(.throttled, "429", retryAfter: .seconds(100)), at: feed.at(0))
    #expect(machine.woke(at: feed.at(99)) == wait)
    expect(machine, 100, "still the wait")
  }

  @Test func gapsAndFirstPositionsHaveTheTimeOfACommit() {
    var machine = feed.resumed(confirmed: 0)
    let late = feed.page(new: 5, "900", date: 22 * 86_400)
    guard case .record = feed.answer(&machine, late, at: feed.at(5)) else {
      Issue.record("no gap")
      return
    }
    expect(machine, 35, "a gap")
    machine = FeedStateMachine(testing: FeedRules(type: .all), at: feed.at(0), seed: 1)
    expect(machine, 720, "the recovery before it starts")
    _ = machine.start(from: .oldest, saved: nil, at: feed.at(7))
    expect(machine, 37, "the first record")
  }
}
