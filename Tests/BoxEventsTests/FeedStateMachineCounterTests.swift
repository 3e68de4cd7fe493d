import Testing

@testable import BoxEvents

/// What is counted, and what resets the count: an old problem must not make a new one worse.
@Suite struct FeedStateMachineCounterTests {
  private let feed = FeedStateMachineTests()
  private let refusal = FeedFailure(.unauthorized, "401")

  /// Fails as often as said, waking up each time; gives the last action and its end.
  @discardableResult
  private func fail(
    _ machine: inout FeedStateMachine, _ failure: FeedFailure, times: Int, at now: inout FeedInstant
  ) -> FeedAction {
    var action = FeedAction.subscribe
    for _ in 0..<times {
      action = machine.readFailed(failure, at: now)
      now = feed.end(action)
      _ = machine.woke(at: now)
    }
    return action
  }

  @Test func answerResetsRefusals() {
    var machine = feed.resumed()
    var now = feed.at(0)
    for _ in 0..<5 {
      fail(&machine, refusal, times: 4, at: &now)
      #expect(machine.condition == .reading)
      _ = machine.pageRead(feed.page(new: 1, "101"), at: now)
      _ = machine.stored(at: now)
    }
  }

  /// A server whose positions pass with the time: the stream waits for a change all the same, and neither the time
  /// without a caught up page nor a start of the daemon makes a gap of it.
  @Test func waitsForAChangeThoughEmptyPagesLeadOn() {
    var machine = feed.resumed(confirmed: 1000)
    var (reads, polls, number) = (0, 0, 100)
    var now = feed.at(0)
    var action = feed.read("100")
    while now < feed.at(40 * 86_400) {
      switch action {
      case .read:
        (reads, number) = (reads + 1, number + 1)
        let date = 1000 + Int64(feed.at(0).duration(to: now) / .seconds(1))
        action = machine.pageRead(feed.page("\(number)", date: date), at: now)
      case .subscribe: action = machine.subscribed(feed.server, at: now)
      case .poll:
        polls += 1
        now = now + .seconds(600)
        action = machine.replied(.reconnect, at: now)
      case .wait(let until):
        now = until
        action = machine.woke(at: now)
      case .save: action = machine.stored(at: now)
      case .begin, .commit, .record:
        Issue.record("\(action)")
        return
      }
    }
    #expect(polls > 5000)
    #expect(reads <= 11 * polls)
    #expect(machine.positionAge(at: now).map { $0 < .seconds(700) } == true)
    // No page has proved that the stream is complete.
    #expect(machine.checkpoint.confirmedAt == BoxTime(secondsSince1970: 1000))
  }

  @Test func knownEventsResetTheCountOfEmptyPages() {
    var machine = feed.resumed()
    var now = feed.at(0)
    for number in 1...200 {
      let entries = number % 9 == 0 ? 3 : 0
      var action = machine.pageRead(feed.page(entries: entries, "\(100 + number)"), at: now)
      if case .wait(let until) = action {
        now = until
        action = machine.woke(at: now)
      }
      #expect(action == feed.read("\(100 + number)"))
    }
  }

  /// What is remembered has a limit, whatever Box serves.
  @Test func boundsTheRememberedPositions() {
    var machine = feed.resumed()
    var now = feed.at(0)
    for number in 1...25_000 {
      if case .wait(let until) = machine.pageRead(feed.page(entries: 1, "\(100 + number)"), at: now) {
        now = until
        _ = machine.woke(at: now)
      }
    }
    #expect(machine.reading.asked.count <= FeedRules.maximumAsked)
  }

  @Test func answerEndsABlock() {
    var machine = feed.resumed()
    var now = feed.at(0)
    fail(&machine, refusal, times: 6, at: &now)
    #expect(machine.condition == .blocked(refusal))
    _ = machine.pageRead(feed.page(new: 1, "101"), at: now)
    _ = machine.stored(at: now)
    _ = machine.readFailed(refusal, at: now)
    #expect(machine.condition == .waiting(refusal))
  }

  @Test func temporaryProblemEndsABlock() {
    var machine = feed.resumed()
    var now = feed.at(0)
    fail(&machine, refusal, times: 6, at: &now)
    let outage = FeedFailure(.serverError, "503")
    _ = machine.readFailed(outage, at: now)
    #expect(machine.condition == .waiting(outage))
    #expect(machine.operatorActionRequired == nil)
  }

  @Test(arguments: [FeedFailure.Code.unauthorized, .forbidden])
  func triesUnauthorizedForEver(code: FeedFailure.Code) {
    var machine = feed.resumed()
    var now = feed.at(0)
    fail(&machine, FeedFailure(code, "no"), times: 100, at: &now)
    #expect(machine.condition == .blocked(FeedFailure(code, "no")) || machine.condition == .reading)
    #expect(machine.operatorActionRequired == nil)
  }

  @Test func refusedRequestRequiresActionWhenItIsBlocked() {
    var machine = feed.resumed()
    var now = feed.at(0)
    fail(&machine, FeedFailure(.refused, "400"), times: 4, at: &now)
    #expect(machine.operatorActionRequired == nil)
    fail(&machine, FeedFailure(.refused, "400"), times: 1, at: &now)
    #expect(machine.operatorActionRequired?.code == .refused)
  }

  /// What a reload or a sign-in may have put right is tried at once.
  @Test(arguments: [FeedFailure.Code.forbidden, .refused, .signInRefused, .serverError])
  func retryEndsAWait(code: FeedFailure.Code) {
    var machine = feed.resumed()
    var now = feed.at(0)
    fail(&machine, FeedFailure(code, "no"), times: 12, at: &now)
    let action = machine.readFailed(FeedFailure(code, "no"), at: now)
    #expect(feed.end(action) > now)
    #expect(machine.retry(at: now) == feed.read("100"))
    // The problem is over when it works, not before.
    #expect(machine.problem?.code == code)
    #expect(machine.pageRead(feed.page(new: 1, "101"), at: now) == feed.commit("101"))
    #expect(machine.problem == nil)
  }

  @Test func newEventsResetTheSpacingOfReads() {
    var machine = feed.resumed()
    _ = machine.pageRead(feed.page(entries: 9, "90"), at: feed.at(0))
    _ = machine.pageRead(feed.page(entries: 9, "80"), at: feed.at(0))
    #expect(machine.woke(at: feed.at(1)) == feed.read("80"))
    #expect(machine.pageRead(feed.page(new: 1, "110"), at: feed.at(1)) == feed.commit("110"))
    #expect(machine.stored(at: feed.at(1)) == feed.read("110"))
    #expect(machine.pageRead(feed.page(entries: 9, "120"), at: feed.at(1)) == feed.read("120"))
  }

  @Test func caughtUpReadResetsThePageLimit() {
    var machine = feed.resumed()
    let odd = FeedFailure(.malformedPage, "odd")
    var action = machine.readFailed(odd, at: feed.at(0))
    #expect(machine.woke(at: feed.end(action)) == feed.read("100", limit: 50))
    action = machine.readFailed(odd, at: feed.end(action))
    let now = feed.end(action)
    #expect(machine.woke(at: now) == feed.read("100", limit: 1))
    #expect(machine.pageRead(feed.page("100"), at: now) == .subscribe)
    _ = machine.subscribed(feed.server, at: now)
    #expect(machine.replied(.newChange, at: now + .seconds(60)) == feed.read("100"))
  }

  @Test func pollThatBringsEventsIsNotAnEmptyWakeUp() {
    var machine = feed.polling()
    var (position, now) = (100, feed.at(1))
    for _ in 0..<40 {
      _ = machine.replied(.outOfDate, at: now)
      _ = machine.pageRead(feed.page(new: 1, "\(position + 1)"), at: now)
      _ = machine.stored(at: now)
      var action = machine.pageRead(feed.page("\(position + 1)"), at: now)
      if action == .subscribe { action = machine.subscribed(feed.server, at: now) }
      #expect(action == .poll(feed.server, from: feed.position("\(position + 1)")))
      #expect(machine.realtime.emptyWakeUps == 0)
      position += 1
      now = now + .seconds(1)
    }
  }

  @Test func longPollIsNotAnEmptyWakeUp() {
    var machine = feed.polling()
    var now = feed.at(1)
    for _ in 0..<40 {
      now = now + .seconds(30)
      _ = machine.replied(.outOfDate, at: now)
      var action = machine.pageRead(feed.page("100"), at: now)
      if action == .subscribe { action = machine.subscribed(feed.server, at: now) }
      #expect(action == .poll(feed.server, from: feed.position("100")))
    }
  }

  @Test func retriesASaveAfterAFullDisk() {
    var machine = feed.resumed(confirmed: 1000)
    let quiet = feed.page("100", date: 4700)
    let save = FeedAction.save(feed.checkpoint("100", confirmed: 4700))
    #expect(machine.pageRead(quiet, at: feed.at(3700)) == save)
    #expect(machine.diskFull(feed.full, at: feed.at(3700)) == .wait(until: feed.at(3702)))
    #expect(machine.condition == .paused(feed.full))
    #expect(machine.woke(at: feed.at(3702)) == save)
    #expect(machine.stored(at: feed.at(3702)) == .subscribe)
  }

  // MARK: What the realtime server asks for

  @Test func optionsObeysRetryAfter() {
    var machine = feed.polling()
    let busy = FeedFailure(.throttled, "429", retryAfter: .seconds(45))
    #expect(machine.pollFailed(busy, at: feed.at(10)) == feed.read("100"))
    #expect(machine.pageRead(feed.page("100"), at: feed.at(10)) == .wait(until: feed.at(55)))
    #expect(machine.woke(at: feed.at(55)) == .subscribe)
    let busier = FeedFailure(.throttled, "429", retryAfter: .seconds(50))
    let action = machine.subscribeFailed(busier, at: feed.at(55))
    // Reading goes on every minute: 15 s later it is due.
    #expect(action == .wait(until: feed.at(70)))
    #expect(machine.woke(at: feed.at(70)) == feed.read("100"))
    #expect(machine.pageRead(feed.page("100"), at: feed.at(70)) == .wait(until: feed.at(105)))
    #expect(machine.woke(at: feed.at(105)) == .subscribe)
  }

  @Test func replyEndsTheRealtimeProblem() {
    var machine = feed.polling()
    _ = machine.replied(.unknown("HTML"), at: feed.at(100))
    let action = machine.pageRead(feed.page("100"), at: feed.at(100))
    #expect(machine.problem != nil)
    _ = machine.woke(at: feed.end(action))
    _ = machine.subscribed(feed.server, at: feed.at(102))
    // That a poll is under way proves nothing.
    #expect(machine.problem != nil)
    #expect(machine.condition == .polling)
    _ = machine.replied(.outOfDate, at: feed.at(200))
    #expect(machine.problem == nil)
  }

  @Test func streamSetToNowSavesNothingBeforeItsFirstAnswer() {
    var machine = FeedStateMachine(testing: FeedRules(type: .all), at: feed.at(0), seed: 1)
    _ = machine.start(from: .now, saved: Checkpoint(position: .now), at: feed.at(0))
    _ = machine.pageRead(feed.page(nil, date: 5), at: feed.at(0))
    #expect(machine.unsavedCheckpoint == nil)
  }
}
