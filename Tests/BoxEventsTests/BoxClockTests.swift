import Testing

@testable import BoxEvents

/// What an answer's date proves, and what takes two.
@Suite struct BoxClockTests {
  private let feed = FeedStateMachineTests()
  private let day: Int64 = 86_400

  /// A machine that is caught up as of 1000, and reads again 100 s later.
  private func readingAgain() -> FeedStateMachine {
    var machine = feed.resumed(confirmed: 990)
    #expect(machine.pageRead(feed.page("100", date: 1000), at: feed.at(0)) == .subscribe)
    _ = machine.subscribed(feed.server, at: feed.at(0))
    #expect(machine.replied(.outOfDate, at: feed.at(100)) == feed.read("100"))
    return machine
  }

  /// The page of an odd date isn't used: it comes again.
  private func isReadAgain(
    _ machine: inout FeedStateMachine, _ outcome: PageOutcome, at now: Double
  ) -> Bool {
    machine.pageRead(outcome, at: feed.at(now)) == .wait(until: feed.at(now + 1))
      && machine.woke(at: feed.at(now + 1)) == feed.read("100")
  }

  @Test(arguments: [22, 365, -22] as [Int64])
  func oneOddDateProvesNothing(days: Int64) {
    var machine = readingAgain()
    let isReadAgain = isReadAgain(&machine, feed.page(new: 1, "101", date: 1100 + days * day), at: 100)
    #expect(isReadAgain)
    #expect(
      machine.pageRead(feed.page(new: 1, "101", date: 1101), at: feed.at(101))
        == feed.commit("101", confirmed: 1000))
    #expect(machine.positionAge(at: feed.at(101)) == .seconds(101))
    // Neither is it remembered.
    _ = machine.stored(at: feed.at(101))
    _ = machine.pageRead(feed.page("101", date: 1101 + days * day), at: feed.at(101))
    #expect(machine.checkpoint == feed.checkpoint("101", confirmed: 1000))
  }

  /// The machine was suspended: its monotonic clock has stood still.
  @Test func aConfirmedDateIsBelieved() {
    var machine = readingAgain()
    let isReadAgain = isReadAgain(&machine, feed.page(new: 1, "101", date: 1100 + 22 * day), at: 100)
    #expect(isReadAgain)
    let gap = Gap(
      cause: .retention, from: feed.position("100"), to: feed.position("101"),
      since: BoxTime(secondsSince1970: 1000), until: BoxTime(secondsSince1970: 1101 + 22 * day))
    #expect(
      machine.pageRead(feed.page(new: 1, "101", date: 1101 + 22 * day), at: feed.at(101)) == .record(gap))
  }

  /// Box was unreachable for weeks, and the process has waited: its clock has gone on.
  @Test func theTimeThatHasPassedIsBelievedAtOnce() {
    var machine = readingAgain()
    let late = feed.at(100 + Double(22 * day))
    guard case .record = machine.pageRead(feed.page("100", date: 1100 + 22 * day), at: late) else {
      Issue.record("no gap")
      return
    }
  }

  /// After a start there is only what the process before has saved.
  @Test(arguments: [60, -25, 2] as [Int64])
  func theFirstDateIsComparedWithTheSavedOne(days: Int64) {
    let saved = 30 * day
    var machine = feed.resumed(confirmed: saved)
    let isReadAgain = isReadAgain(&machine, feed.page("100", date: saved + days * day), at: 0)
    #expect(isReadAgain)
    #expect(machine.pageRead(feed.page("100", date: saved + 10), at: feed.at(1)) == .subscribe)
    #expect(machine.checkpoint == feed.checkpoint("100", confirmed: saved + 10))
  }

  /// A server that shows another date each time costs one more read, and proves nothing.
  @Test func datesThatNeverAgreeAreNotUsed() {
    var machine = readingAgain()
    let isReadAgain = isReadAgain(&machine, feed.page("100", date: 50 * day), at: 100)
    #expect(isReadAgain)
    for number in 1...4 {
      let now = 101 + 100 * Double(number)
      let action = machine.pageRead(feed.page("100", date: 90 * day * Int64(number)), at: feed.at(now))
      #expect(action == .poll(feed.server, from: feed.position("100")))
      #expect(machine.checkpoint == feed.checkpoint("100", confirmed: 1000))
      #expect(machine.replied(.outOfDate, at: feed.at(now + 50)) == feed.read("100"))
    }
    #expect(machine.positionAge(at: feed.at(600)) == .seconds(600))
  }

  /// A date in another time zone is off by an hour.
  @Test func serversMayDifferByMinutes() {
    let differences = [(600, true), (-600, true), (3600, false), (-3600, false)] as [(Int64, Bool)]
    for (difference, isBelieved) in differences {
      var machine = readingAgain()
      _ = machine.pageRead(feed.page("100", date: 1100 + difference), at: feed.at(100))
      #expect(machine.checkpoint.confirmedAt?.secondsSince1970 == (isBelieved ? 1100 + difference : 1000))
    }
  }
}
