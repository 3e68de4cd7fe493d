import Testing

@testable import BoxEvents

/// Changes that follow one another are polled for at once; the read that proves the stream complete follows them.
@Suite struct BusyPollTests {
  private let feed = FeedStateMachineTests()
  private let start = 1_000_000.0

  /// Announces a change so long after the poll began, and reads and stores the one event of it.
  private func change(_ machine: inout FeedStateMachine, _ position: Int, at now: inout Double) -> FeedAction
  {
    var action = machine.replied(.newChange, at: feed.at(now))
    if case .wait(let until) = action {
      now = until.sinceOrigin / .seconds(1)
      action = machine.woke(at: until)
    }
    #expect(action == feed.read("\(position - 1)"))
    let page = feed.busy(1, "\(position)", happened: Int64(start + now), date: Int64(start + now))
    _ = machine.pageRead(page, at: feed.at(now))
    return machine.stored(at: feed.at(now))
  }

  private func change(_ machine: inout FeedStateMachine, _ position: Int, at time: Double) -> FeedAction {
    var now = time
    return change(&machine, position, at: &now)
  }

  private var silence: FeedFailure {
    var failure = FeedFailure(.unreachable, "no answer in time")
    failure.interruption = .timedOut
    return failure
  }

  private func poll(_ position: Int) -> FeedAction {
    .poll(feed.server.briefly(.seconds(2)), from: feed.position("\(position)"))
  }

  @Test func aChangeThatFollowsAnotherAtOnceIsPolledFor() {
    var machine = feed.polling()
    // The first came after a long wait, and may well be the only one.
    #expect(change(&machine, 101, at: 40) == feed.read("101"))
    #expect(
      machine.pageRead(feed.page("101"), at: feed.at(40)) == .poll(feed.server, from: feed.position("101")))
    #expect(change(&machine, 102, at: 41) == poll(102))
    #expect(change(&machine, 103, at: 41.1) == poll(103))
    // Silence: whether that is all is asked once, and the next poll is as long as the server allows.
    #expect(machine.pollFailed(silence, at: feed.at(43.1)) == feed.read("103"))
    #expect(machine.problem == nil)
    #expect(
      machine.pageRead(feed.page("103"), at: feed.at(43.2)) == .poll(feed.server, from: feed.position("103")))
  }

  @Test func theStreamIsProvenCompleteNowAndThen() {
    var machine = feed.polling()
    var (now, position, polls, reads) = (1.5, 101, 0, 0)
    var action = change(&machine, position, at: &now)
    while position < 160 {
      now += 0.1
      switch action {
      case .poll(let server, _):
        polls += server.briefly == nil ? 0 : 1
        position += 1
        action = change(&machine, position, at: &now)
      case .read:
        reads += 1
        action = machine.pageRead(feed.page("\(position)"), at: feed.at(now))
      case .subscribe: action = machine.subscribed(feed.server, at: feed.at(now))
      case .wait(let until):
        now = until.sinceOrigin / .seconds(1)
        action = machine.woke(at: until)
      default:
        Issue.record("\(action)")
        return
      }
    }
    // At the latest after each ten, which is also how often this server may be polled.
    #expect(polls >= 40)
    #expect(reads >= 5)
  }

  /// What is not recent, or fills a page, is a backlog.
  @Test func aBacklogIsRead() {
    var machine = feed.polling()
    _ = machine.replied(.newChange, at: feed.at(1.5))
    _ = machine.pageRead(feed.busy(500, "101", happened: 1000, date: 1000), at: feed.at(1.5))
    #expect(machine.stored(at: feed.at(1.5)) == feed.read("101"))
    machine = feed.polling()
    _ = machine.replied(.newChange, at: feed.at(1.5))
    _ = machine.pageRead(feed.busy(1, "101", happened: 1000, date: 1100), at: feed.at(1.5))
    #expect(machine.stored(at: feed.at(1.5)) == feed.read("101"))
  }

  /// A brief poll's own failure is one of the server's.
  @Test func aServerThatFailsIsLeft() {
    var machine = feed.polling()
    #expect(change(&machine, 101, at: 1.5) == poll(101))
    #expect(machine.pollFailed(FeedFailure(.serverError, "503"), at: feed.at(1.6)) == feed.read("101"))
    #expect(machine.problem != nil)
  }

  /// Reads and requests for a server together stay below 240 in any minute.
  @Test func callsStayBelowTheLimit() {
    var machine = feed.polling()
    var (now, position) = (1.5, 101)
    var calls: [Double] = []
    var action = change(&machine, position, at: &now)
    calls.append(now)
    while now < 300 {
      switch action {
      case .poll:
        now += 0.035
        position += 1
        action = change(&machine, position, at: &now)
        calls.append(now)
      case .read:
        calls.append(now)
        action = machine.pageRead(feed.page("\(position)"), at: feed.at(now))
      case .subscribe:
        calls.append(now)
        action = machine.subscribed(feed.server, at: feed.at(now))
      case .wait(let until):
        now = max(now, until.sinceOrigin / .seconds(1))
        action = machine.woke(at: feed.at(now))
      default:
        Issue.record("\(action)")
        return
      }
    }
    let most = calls.indices.map { first in calls[first...].count { $0 < calls[first] + 60 } }.max()
    #expect((most ?? 0) < 240)
  }
}
