import Testing

@testable import BoxEvents

/// The rules as straight lines: an input, and the action it must lead to.
@Suite struct FeedStateMachineTests {
  static let server = RealtimeServer(url: Secret("https://2.realtime.services.box.net/subscribe?channel=c"))
  let server = Self.server
  let full = StoreFailure(.noSpace, "full")

  static func at(_ seconds: Double) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }
  func at(_ seconds: Double) -> FeedInstant { Self.at(seconds) }

  static func position(_ digits: String) -> ReadPosition {
    StreamPosition(digits).map(ReadPosition.at) ?? .now
  }
  func position(_ digits: String) -> ReadPosition { Self.position(digits) }

  func page(new: Int = 0, entries: Int? = nil, _ next: String?, date: Int64? = nil) -> PageOutcome {
    PageOutcome(new: new, entries: entries ?? new, next, date: date.map(BoxTime.init(secondsSince1970:)))
  }

  func read(_ digits: String, limit: Int = 500) -> FeedAction {
    .read(ReadRequest(position: position(digits), limit: limit))
  }

  func checkpoint(_ digits: String, confirmed: Int64? = nil, readSince: Int64? = nil) -> Checkpoint {
    Checkpoint(
      position: position(digits), confirmedAt: confirmed.map(BoxTime.init(secondsSince1970:)),
      readSince: readSince.map(BoxTime.init(secondsSince1970:)))
  }

  func commit(_ digits: String, confirmed: Int64? = nil, readSince: Int64? = nil) -> FeedAction {
    .commit(.sample(), at: checkpoint(digits, confirmed: confirmed, readSince: readSince))
  }

  /// A machine that goes on from position 100.
  func resumed(type: StreamType = .all, confirmed: Int64? = nil) -> FeedStateMachine {
    var machine = FeedStateMachine(testing: FeedRules(type: type), at: at(0), seed: 1)
    let checkpoint = Checkpoint(
      position: position("100"), confirmedAt: confirmed.map(BoxTime.init(secondsSince1970:)))
    #expect(machine.start(from: position("100"), saved: checkpoint, at: at(0)) == read("100"))
    return machine
  }

  /// The same, polling since second 1.
  func polling() -> FeedStateMachine {
    var machine = resumed()
    #expect(machine.pageRead(page("100"), at: at(0)) == .subscribe)
    #expect(machine.subscribed(server, at: at(1)) == .poll(server, from: position("100")))
    return machine
  }

  /// The answer, and the same once more where its date alone proves nothing.
  func answer(
    _ machine: inout FeedStateMachine, _ outcome: PageOutcome, at now: FeedInstant = at(0)
  ) -> FeedAction {
    let action = machine.pageRead(outcome, at: now)
    guard machine.boxClock.isInDoubt else { return action }
    _ = machine.retry(at: now)
    return machine.pageRead(outcome, at: now)
  }

  func isWait(_ action: FeedAction, from now: Double, _ range: ClosedRange<Double>) -> Bool {
    guard case .wait(let until) = action else { return false }
    let seconds = at(now).duration(to: until) / .seconds(1)
    return range.contains(seconds)
  }

  func end(_ action: FeedAction) -> FeedInstant {
    guard case .wait(let until) = action else { return at(-1) }
    return until
  }

  // MARK: Starting

  @Test func startsFromNowByAskingForThePosition() {
    var machine = FeedStateMachine(testing: FeedRules(type: .all), at: at(0), seed: 1)
    #expect(
      machine.start(from: .now, saved: nil, at: at(0)) == .read(ReadRequest(position: .now)))
    #expect(machine.unsavedCheckpoint == nil)
    let checkpoint = Checkpoint(position: position("70"), confirmedAt: BoxTime(secondsSince1970: 5))
    #expect(machine.pageRead(page("70", date: 5), at: at(0)) == .begin(checkpoint))
    #expect(machine.stored(at: at(0)) == read("70"))
    #expect(machine.pageRead(page("70"), at: at(0)) == .subscribe)
  }

  @Test func startsFromOldestByRecordingIt() {
    var machine = FeedStateMachine(testing: FeedRules(type: .all), at: at(0), seed: 1)
    #expect(
      machine.start(from: .oldest, saved: nil, at: at(0)) == .begin(Checkpoint(position: .oldest)))
    // A stream that has not begun has nothing to save when it is stopped.
    #expect(machine.unsavedCheckpoint == nil)
    #expect(machine.stored(at: at(0)) == .read(ReadRequest(position: .oldest)))
    #expect(machine.pageRead(page(new: 3, "7"), at: at(0)) == commit("7"))
  }

  @Test(arguments: [nil, "0", "-1", "now", ""])
  func neverStartsFromAnAnswerWithoutPosition(next: String?) {
    var machine = FeedStateMachine(testing: FeedRules(type: .all), at: at(0), seed: 1)
    _ = machine.start(from: .now, saved: nil, at: at(0))
    var action = machine.pageRead(page(next), at: at(0))
    #expect(isWait(action, from: 0, 0.1...1))
    #expect(machine.unsavedCheckpoint == nil)
    for _ in 1...20 {
      let now = end(action)
      #expect(machine.woke(at: now) == .read(ReadRequest(position: .now)))
      action = machine.pageRead(page(next), at: now)
      #expect(machine.problem?.code == .unreadable)
    }
    // The waits have grown.
    #expect(end(action) > at(100))
  }

  // MARK: Busy streams

  /// A page of so many new events that happened at a time of Box's clock.
  func busy(_ count: Int, _ next: String, happened: Int64, date: Int64) -> PageOutcome {
    let time = BoxTime(secondsSince1970: happened).date.rfc3339
    let lines = (0..<count).map { Array(#"{"event_id":"\#(next)-\#($0)","created_at":"\#(time)"}"#.utf8) }
    guard let page = try? EventPage(lines: lines, nextPosition: StreamPosition(next)) else {
      preconditionFailure("a page")
    }
    let batch = EventBatch(
      id: 1, page: page, readFrom: position("1"), new: Array(0..<count), duplicates: 0)
    return PageOutcome(batch, date: BoxTime(secondsSince1970: date))
  }

  /// Answers every read with ten events that have just happened, for an hour; returns when the reads were.
  private func readsOfAnHour(_ machine: inout FeedStateMachine, _ first: FeedAction) -> [Double] {
    var (now, action, reads) = (0.0, first, [Double]())
    while now < 3600 {
      switch action {
      case .read:
        reads.append(now)
        now += 0.05
        action = machine.pageRead(
          busy(10, "\(1000 + reads.count)", happened: Int64(now), date: Int64(now)), at: at(now))
      case .commit, .save, .begin: action = machine.stored(at: at(now))
      case .wait(let until):
        now = max(now, until.sinceOrigin / .seconds(1) + 0.001)
        action = machine.woke(at: at(now))
      case .subscribe, .poll, .record: return reads
      }
    }
    return reads
  }

  @Test func aBusyStreamStaysBelowBoxsLimit() {
    var machine = FeedStateMachine(testing: FeedRules(type: .all), at: at(0), seed: 1)
    let reads = readsOfAnHour(&machine, machine.start(from: position("100"), saved: nil, at: at(0)))
    let mostInAMinute = reads.indices.map { start in
      reads[start...].prefix { $0 < reads[start] + 60 }.count
    }.max()
    #expect((mostInAMinute ?? 0) <= 236)
    #expect(reads.count > 3_600)
  }

  @Test func aBusyEnterpriseStreamIsReadAtItsInterval() {
    var machine = FeedStateMachine(testing: FeedRules(type: .adminLogsStreaming), at: at(0), seed: 1)
    let reads = readsOfAnHour(&machine, machine.start(from: position("100"), saved: nil, at: at(0)))
    #expect(zip(reads, reads.dropFirst()).allSatisfy { $1 - $0 >= 30 })
    #expect(reads.count > 110)
  }

  @Test func aBusyEnterpriseStreamIsPollingAndItsPositionYoung() {
    var machine = resumed(type: .adminLogsStreaming, confirmed: 0)
    _ = machine.pageRead(busy(10, "101", happened: 990, date: 1000), at: at(0))
    #expect(isWait(machine.stored(at: at(0)), from: 0, 30...30))
    #expect(machine.positionAge(at: at(0)) == .seconds(10))
    #expect(machine.condition == .polling)
  }

  @Test func fullPagesAreReadWithoutAPause() {
    var machine = resumed(type: .adminLogsStreaming)
    for page in 1...1000 {
      _ = machine.pageRead(busy(500, "\(100 + page)", happened: 1000, date: 1000), at: at(0))
      #expect(machine.stored(at: at(0)) == read("\(100 + page)"))
    }
  }

  /// A backlog that takes longer to read than Box keeps events is no gap while every read brings events that
  /// Box still has.
  @Test func aLongBacklogIsNoGap() {
    let day: Int64 = 86_400
    var machine = resumed(type: .adminLogsStreaming, confirmed: 0)
    for page in 1...60 {
      let happened = Int64(page) * day
      let now = at(Double(happened))
      let full = busy(500, "\(100 + page)", happened: happened, date: happened + 10 * day)
      let action = answer(&machine, full, at: now)
      if case .commit = action {} else { Issue.record("\(action)") }
      _ = machine.stored(at: now)
    }
  }

  @Test func positionsThatPassWithTimeCostTwoReadsAWakeUp() {
    var machine = polling()
    var (now, next) = (0.0, 100)
    for _ in 1...20 {
      now += 100
      var action = machine.replied(.newChange, at: at(now))
      var reads = 0
      while true {
        if case .read = action {
          reads += 1
          next += 1
          action = machine.pageRead(page("\(next)"), at: at(now))
        } else if case .wait(let until) = action {
          // Box had announced something: it is looked for once more.
          now = until.sinceOrigin / .seconds(1) + 0.001
          action = machine.woke(at: at(now))
        } else {
          if action == .subscribe { _ = machine.subscribed(server, at: at(now)) }
          break
        }
      }
      #expect((1...4).contains(reads))
    }
  }

  // MARK: Reading until caught up

  @Test func readsOnAfterAShortPage() {
    var machine = resumed()
    #expect(machine.pageRead(page(new: 2, "200"), at: at(0)) == commit("200"))
    #expect(machine.stored(at: at(0)) == read("200"))
    #expect(machine.pageRead(page(new: 1, "201"), at: at(0)) == commit("201"))
    #expect(machine.stored(at: at(0)) == read("201"))
    #expect(machine.pageRead(page("201"), at: at(0)) == .subscribe)
  }

  @Test func readsOnWhileThePositionIsNew() {
    var machine = resumed()
    #expect(machine.pageRead(page(entries: 9, "90"), at: at(0)) == read("90"))
    // Two unproductive reads in a row: the next waits.
    #expect(machine.pageRead(page(entries: 9, "80"), at: at(0)) == .wait(until: at(1)))
    #expect(machine.woke(at: at(1)) == read("80"))
    #expect(machine.pageRead(page(entries: 9, "100"), at: at(2)) == .subscribe)
  }

  @Test func emptyPageNeverMovesThePositionBack() {
    var machine = resumed()
    for next in ["99", "0", nil, "100"] as [String?] {
      machine = resumed()
      #expect(machine.pageRead(page(next), at: at(0)) == .subscribe)
      #expect(machine.currentPosition == position("100"))
    }
    machine = resumed()
    #expect(machine.pageRead(page("1000"), at: at(0)) == read("1000"))
    machine = resumed()
    #expect(machine.pageRead(page("101"), at: at(0)) == read("101"))
  }

  /// Its events are stored; nothing is known of what follows them, however recent they are.
  @Test(arguments: [StreamType.all, .adminLogsStreaming])
  func aPageWithoutAPositionIsReadAgain(type: StreamType) {
    var machine = resumed(type: type, confirmed: 900)
    _ = machine.pageRead(busy(10, "none", happened: 990, date: 1000), at: at(0))
    #expect(machine.problem?.message == "Box's answer has an unusable next_stream_position (missing)")
    var action = machine.stored(at: at(0))
    var (now, longest) = (0.0, 0.0)
    for attempt in 1...20 {
      #expect(isWait(action, from: now, 0.1...300))
      #expect(machine.condition == .waiting(machine.problem))
      let until = end(action).sinceOrigin / .seconds(1)
      (longest, now) = (max(longest, until - now), until)
      #expect(machine.woke(at: end(action)) == read("100"))
      #expect(machine.problem != nil)
      // A full page too: that Box serves nothing new isn't what is wrong.
      action = machine.pageRead(
        page(entries: attempt % 2 == 0 ? 3 : 500, nil, date: 1000 + Int64(now)), at: at(now))
    }
    #expect(longest > 100)
    #expect(machine.checkpoint == checkpoint("100", confirmed: 900))
    #expect(machine.woke(at: end(action)) == read("100"))
    let date = 1000 + Int64(end(action).sinceOrigin / .seconds(1))
    _ = machine.pageRead(page(entries: 3, "100", date: date), at: end(action))
    #expect(machine.problem == nil)
    #expect(machine.checkpoint == checkpoint("100", confirmed: date))
  }

  @Test func newEventsWithoutAPositionBackOffToo() {
    var machine = resumed()
    var (now, longest) = (at(0), Duration.zero)
    for _ in 1...20 {
      #expect(machine.pageRead(page(new: 1, nil), at: now) == commit("100"))
      let until = end(machine.stored(at: now))
      longest = max(longest, now.duration(to: until))
      now = until
      #expect(machine.woke(at: now) == read("100"))
    }
    #expect(longest > .seconds(100))
  }

  @Test func stallsOnAFullPageOfKnownEvents() {
    var machine = resumed()
    var now = 0.0
    for _ in 0..<20 {
      let action = machine.pageRead(page(entries: 500, "100"), at: at(now))
      #expect(isWait(action, from: now, 1...60))
      #expect(machine.condition == .stalled)
      now = end(action).sinceOrigin / .seconds(1)
      #expect(machine.woke(at: end(action)) == read("100"))
    }
    #expect(machine.pageRead(page(new: 1, entries: 500, "110"), at: at(now)) == commit("110"))
    #expect(machine.condition == .reading)
  }

  @Test func neverDelaysProductiveReads() {
    var machine = resumed()
    for number in 101..<200 {
      #expect(machine.pageRead(page(new: 500, "\(number)"), at: at(0)) == commit("\(number)"))
      #expect(machine.stored(at: at(0)) == read("\(number)"))
    }
  }

  // MARK: Waiting for a change

  @Test(arguments: [RealtimeReply.newChange, .outOfDate])
  func readsAndPollsTheSameServer(reply: RealtimeReply) {
    var machine = polling()
    #expect(machine.replied(reply, at: at(40)) == read("100"))
    #expect(machine.pageRead(page(new: 1, "101"), at: at(40)) == commit("101"))
    #expect(machine.stored(at: at(40)) == read("101"))
    #expect(machine.pageRead(page("101"), at: at(40)) == .poll(server, from: position("101")))
  }

  @Test(arguments: [RealtimeReply.reconnect, .maxRetries])
  func readsOnceAndAsksForANewServer(reply: RealtimeReply) {
    var machine = polling()
    #expect(machine.replied(reply, at: at(600)) == read("100"))
    #expect(machine.pageRead(page("100"), at: at(600)) == .subscribe)
    #expect(machine.problem == nil)
  }

  @Test func unknownReplyBacksOffAndIsReported() {
    var machine = polling()
    #expect(machine.replied(.unknown("HTML"), at: at(100)) == read("100"))
    let action = machine.pageRead(page("100"), at: at(100))
    #expect(isWait(action, from: 100, 0.1...1))
    #expect(machine.problem?.code == .unreadable)
    #expect(machine.woke(at: end(action)) == .subscribe)
  }

  @Test func failedPollReadsFirst() {
    var machine = polling()
    #expect(machine.pollFailed(FeedFailure(.unreachable, "reset"), at: at(100)) == read("100"))
    #expect(isWait(machine.pageRead(page("100"), at: at(100)), from: 100, 0.1...1))
  }

  @Test func leavesAServerAfterItsPollsAndItsTime() {
    let short = RealtimeServer(url: Secret("x"), timeToLive: .seconds(120), maximumPolls: 2)
    var machine = resumed()
    _ = machine.pageRead(page("100"), at: at(0))
    #expect(machine.subscribed(short, at: at(0)) == .poll(short, from: position("100")))
    _ = machine.replied(.outOfDate, at: at(40))
    #expect(machine.pageRead(page("100"), at: at(40)) == .poll(short, from: position("100")))
    _ = machine.replied(.outOfDate, at: at(80))
    #expect(machine.pageRead(page("100"), at: at(80)) == .subscribe)
    #expect(machine.subscribed(short, at: at(80)) == .poll(short, from: position("100")))
    _ = machine.replied(.outOfDate, at: at(200))
    #expect(machine.pageRead(page("100"), at: at(200)) == .subscribe)
  }

  @Test func readsEveryMinuteWithoutOPTIONS() {
    var machine = resumed()
    var now = 0.0
    var reads: [Double] = []
    var subscriptions = 0
    var action = machine.pageRead(page("100"), at: at(0))
    while now < 3600 {
      switch action {
      case .subscribe:
        subscriptions += 1
        action = machine.subscribeFailed(FeedFailure(.forbidden, "no OPTIONS here"), at: at(now))
      case .wait(let until):
        now = until.sinceOrigin / .seconds(1)
        action = machine.woke(at: until)
      case .read:
        reads.append(now)
        #expect(machine.problem?.message == "no OPTIONS here")
        action = machine.pageRead(page("100"), at: at(now))
      default:
        Issue.record("\(action)")
        return
      }
    }
    #expect((50...62).contains(reads.count))
    #expect((10...60).contains(subscriptions))
    #expect(zip(reads, reads.dropFirst()).allSatisfy { $1 - $0 <= 61 })
  }

  @Test func spacesEmptyWakeUpsThenFallsBackToReads() {
    var machine = polling()
    var now = 1.0
    var polls = [1.0]
    var action = FeedAction.poll(server, from: position("100"))
    while now < 4000 {
      switch action {
      case .poll:
        action = machine.replied(.newChange, at: at(now))
      case .read:
        action = machine.pageRead(page("100"), at: at(now))
      case .subscribe:
        action = machine.subscribed(server, at: at(now))
      case .wait(let until):
        now = until.sinceOrigin / .seconds(1)
        action = machine.woke(at: until)
      default:
        Issue.record("\(action)")
        return
      }
      if case .poll = action { polls.append(now) }
    }
    // Ten in the first minutes, then one every ten minutes.
    #expect((13...18).contains(polls.count))
    #expect(machine.realtime.emptyWakeUps >= 9)
    #expect(zip(polls.dropFirst(10), polls.dropFirst(11)).allSatisfy { $1 - $0 >= 600 })
  }

  /// The third empty wake-up in a row delays the next, the tenth gives realtime up; what is between is spaced by
  /// reads alone.
  @Test func thirdEmptyWakeUpDelaysTheNextPoll() {
    var machine = polling()
    var now = 1.0
    for emptyWakeUps in 1...9 {
      var action = machine.replied(.newChange, at: at(now))
      if case .wait(let until) = action {
        now = until.sinceOrigin / .seconds(1)
        action = machine.woke(at: until)
      }
      #expect(action == read("100"))
      action = machine.pageRead(page("100"), at: at(now))
      if emptyWakeUps < 3 {
        // Announced, but not found: once more.
        #expect(action == .wait(until: at(now + 5)))
        now += 5
        #expect(machine.woke(at: at(now)) == read("100"))
        action = machine.pageRead(page("100"), at: at(now))
      }
      #expect(machine.realtime.emptyWakeUps == emptyWakeUps)
      if case .wait(let until) = action {
        #expect(emptyWakeUps >= 3 && until >= at(now + 1) && until <= at(now + 60), "\(emptyWakeUps)")
        now = until.sinceOrigin / .seconds(1)
        action = machine.woke(at: until)
      } else {
        #expect(emptyWakeUps < 3, "\(emptyWakeUps)")
      }
      // The server is used up after ten polls.
      if action == .subscribe { action = machine.subscribed(server, at: at(now)) }
      #expect(action == .poll(server, from: position("100")))
    }
  }

  // MARK: The end of a poll

  static let closed: FeedFailure = {
    var failure = FeedFailure(.unreachable, "closed")
    failure.interruption = .closed
    return failure
  }()

  static let timedOut: FeedFailure = {
    var failure = FeedFailure(.unreachable, "timed out")
    failure.interruption = .timedOut
    return failure
  }()

  /// A load balancer that ends every quiet poll: however often, the next one begins at once and nothing is wrong.
  @Test(arguments: [0, 408, 502, 503, 504])
  func anIdlePollThatIsCutOffIsNoFailure(status: Int) {
    let failure = status == 0 ? Self.closed : FeedFailure(.serverError, "cut off", status: status)
    var machine = polling()
    var now = 1.0
    for _ in 1...30 {
      now += 60
      #expect(machine.pollFailed(failure, at: at(now)) == read("100"))
      #expect(machine.problem == nil)
      var action = machine.pageRead(page("100"), at: at(now))
      if action == .subscribe { action = machine.subscribed(server, at: at(now)) }
      #expect(action == .poll(server, from: position("100")))
    }
  }

  @Test func aPollThatIsCutOffSoonBacksOff() {
    var machine = polling()
    #expect(machine.pollFailed(Self.closed, at: at(2)) == read("100"))
    #expect(machine.problem == Self.closed)
    #expect(isWait(machine.pageRead(page("100"), at: at(2)), from: 2, 0.1...1))
  }

  @Test func aPollThatOnlyBeginsDoesNotEndAProblem() {
    var machine = polling()
    _ = machine.pollFailed(Self.closed, at: at(2))
    let until = end(machine.pageRead(page("100"), at: at(2)))
    #expect(machine.woke(at: until) == .subscribe)
    _ = machine.subscribed(server, at: until)
    #expect(machine.condition == .polling)
    #expect(machine.problem == Self.closed)
    // Held for half a minute, it does.
    #expect(machine.problemEnd == until + .seconds(30))
    _ = machine.replied(.reconnect, at: until + .seconds(600))
    #expect(machine.problem == nil)
  }

  /// Eight failures in a row, then events after a poll: the next poll begins within a second or so.
  @Test func eventsAfterAPollEndTheBackOff() {
    var machine = polling()
    var now = at(1)
    let failure = FeedFailure(.serverError, "500", status: 500)
    var action = machine.pollFailed(failure, at: now)
    for _ in 1...8 {
      while action != .poll(server, from: position("100")) {
        switch action {
        case .wait(let until):
          now = until
          action = machine.woke(at: now)
        case .read: action = machine.pageRead(page("100"), at: now)
        default: action = machine.subscribed(server, at: now)
        }
      }
      action = machine.pollFailed(failure, at: now)
    }
    if case .wait(let until) = action {
      now = until
      action = machine.woke(at: now)
    }
    #expect(action == read("100"))
    _ = machine.pageRead(page(new: 1, "101"), at: now)
    #expect(machine.stored(at: now) == read("101"))
    let next = end(machine.pageRead(page("101"), at: now))
    #expect(next <= now + .seconds(1))
  }

  /// Silent to its time limit, while events were there to be announced: the server fails.
  @Test func aPollThatSleptOverEventsIsAFailure() {
    var machine = polling()
    #expect(machine.pollFailed(Self.timedOut, at: at(621)) == read("100"))
    #expect(machine.problem == nil)
    _ = machine.pageRead(page(new: 1, "101"), at: at(621))
    #expect(machine.problem == Self.timedOut)
    #expect(machine.stored(at: at(621)) == read("101"))
    #expect(isWait(machine.pageRead(page("101"), at: at(621)), from: 621, 0.1...1))
  }

  @Test func aPollThatTimedOutOverNothingAsksForAnotherServer() {
    var machine = polling()
    #expect(machine.pollFailed(Self.timedOut, at: at(621)) == read("100"))
    #expect(machine.pageRead(page("100"), at: at(621)) == .subscribe)
    #expect(machine.problem == nil)
  }

  @Test func anAnnouncedChangeIsLookedForOnceMore() {
    var machine = polling()
    #expect(machine.replied(.newChange, at: at(100)) == read("100"))
    #expect(machine.pageRead(page("100"), at: at(100)) == .wait(until: at(105)))
    #expect(machine.woke(at: at(105)) == read("100"))
    #expect(machine.pageRead(page(new: 1, "101"), at: at(105)) == commit("101"))
    #expect(machine.stored(at: at(105)) == read("101"))
    // Found: polled again at once.
    #expect(machine.pageRead(page("101"), at: at(105)) == .poll(server, from: position("101")))
  }

  @Test func readsEnterpriseStreamsAtAnInterval() {
    var machine = resumed(type: .adminLogsStreaming)
    let action = machine.pageRead(page("100"), at: at(5))
    #expect(action == .wait(until: at(35)))
    #expect(machine.woke(at: at(35)) == read("100"))
  }

  // MARK: Failures

  @Test func failuresBackOffAndKeepThePosition() {
    var machine = resumed()
    var now = 0.0
    var longest = 0.0
    for _ in 0..<40 {
      let action = machine.readFailed(FeedFailure(.serverError, "503"), at: at(now))
      #expect(isWait(action, from: now, 0.1...300))
      let until = end(action).sinceOrigin / .seconds(1)
      longest = max(longest, until - now)
      now = until
      #expect(machine.woke(at: end(action)) == read("100"))
    }
    #expect(longest > 100)
    #expect(machine.pageRead(page("100"), at: at(now)) == .subscribe)
  }

  @Test func retryAfterIsObeyed() {
    var machine = resumed()
    let action = machine.readFailed(FeedFailure(.throttled, "429", retryAfter: .seconds(1234)), at: at(0))
    #expect(action == .wait(until: at(1234)))
    #expect(machine.woke(at: at(1233)) == action)
  }

  @Test func blocksAfterFiveRefusals() {
    var machine = resumed()
    var now = 0.0
    for attempt in 1...12 {
      let action = machine.readFailed(FeedFailure(.unauthorized, "401"), at: at(now))
      if attempt >= 5 {
        #expect(isWait(action, from: now, 899.99...900.01))
        #expect(machine.condition == .blocked(FeedFailure(.unauthorized, "401")))
      } else {
        #expect(isWait(action, from: now, 0.1...16))
      }
      #expect(machine.operatorActionRequired == nil)
      now = end(action).sinceOrigin / .seconds(1)
      _ = machine.woke(at: end(action))
    }
    #expect(machine.pageRead(page("100"), at: at(now)) == .subscribe)
    #expect(machine.condition == .reading)
  }

  @Test func refusedSignInRequiresActionAtOnce() {
    var machine = resumed()
    #expect(machine.readFailed(FeedFailure(.signInRefused, "dead"), at: at(0)) == .wait(until: at(60)))
    #expect(machine.operatorActionRequired?.code == .signInRefused)
    #expect(machine.woke(at: at(60)) == read("100"))
  }

  @Test func asksForAnUnreadablePageInSmallerPieces() {
    var machine = resumed()
    let failure = FeedFailure(.malformedPage, "odd")
    var action = machine.readFailed(failure, at: at(0))
    #expect(machine.woke(at: end(action)) == read("100", limit: 50))
    action = machine.readFailed(failure, at: end(action))
    #expect(machine.woke(at: end(action)) == read("100", limit: 1))
    #expect(machine.pageRead(page(new: 1, "101"), at: end(action)) == commit("101"))
    #expect(machine.stored(at: end(action)) == read("101", limit: 50))
    #expect(machine.pageRead(page(new: 2, "103"), at: end(action)) == commit("103"))
    #expect(machine.stored(at: end(action)) == read("103"))
  }

  @Test func pageThatStaysUnreadableBlocks() {
    var machine = resumed()
    var action = FeedAction.read(ReadRequest(position: position("100")))
    var now = at(0)
    for _ in 0..<7 {
      action = machine.readFailed(FeedFailure(.tooLarge, "large"), at: now)
      now = end(action)
      _ = machine.woke(at: now)
    }
    guard case .blocked(let failure) = machine.condition else {
      Issue.record("\(machine.condition)")
      return
    }
    #expect(failure.hint?.contains("position set") == true)
    #expect(machine.operatorActionRequired != nil)
  }

  // MARK: Store

  @Test func fullDiskPausesAndRepeatsTheAction() {
    var machine = resumed()
    #expect(machine.diskFull(full, at: at(0)) == .wait(until: at(2)))
    #expect(machine.condition == .paused(full))
    #expect(machine.woke(at: at(2)) == read("100"))
    #expect(machine.pageRead(page(new: 1, "101"), at: at(2)) == commit("101"))
    #expect(machine.diskFull(full, at: at(2)) == .wait(until: at(4)))
    #expect(machine.woke(at: at(4)) == commit("101"))
    #expect(machine.currentPosition == position("100"))
    #expect(machine.stored(at: at(4)) == read("101"))
  }

  @Test func quietStreamSavesHourly() {
    var machine = resumed(confirmed: 1000)
    _ = machine.pageRead(page("100", date: 1010), at: at(0))
    _ = machine.subscribed(server, at: at(0))
    _ = machine.replied(.outOfDate, at: at(3599))
    #expect(machine.pageRead(page("100", date: 4609), at: at(3599)) == .subscribe)
    _ = machine.subscribed(server, at: at(3599))
    _ = machine.replied(.outOfDate, at: at(3700))
    let checkpoint = Checkpoint(position: position("100"), confirmedAt: BoxTime(secondsSince1970: 4710))
    #expect(machine.pageRead(page("100", date: 4710), at: at(3700)) == .save(checkpoint))
    #expect(machine.stored(at: at(3700)) == .poll(server, from: position("100")))
    #expect(machine.unsavedCheckpoint == nil)
  }

  @Test func positionOlderThanTheRetentionIsAGap() {
    let day: Int64 = 86_400
    var machine = resumed(confirmed: 0)
    let gap = Gap(
      cause: .retention, from: position("100"), to: position("900"),
      since: BoxTime(secondsSince1970: 0), until: BoxTime(secondsSince1970: 22 * day))
    #expect(answer(&machine, page(new: 5, "900", date: 22 * day)) == .record(gap))
    #expect(machine.stored(at: at(0)) == commit("900", confirmed: 0, readSince: 22 * day))
    #expect(machine.stored(at: at(0)) == read("900"))
    // Once is enough, also for the next process.
    #expect(
      machine.pageRead(page(new: 1, "901", date: 22 * day), at: at(0))
        == commit("901", confirmed: 0, readSince: 22 * day))
    #expect(machine.stored(at: at(0)) == read("901"))
    #expect(machine.pageRead(page("901", date: 22 * day), at: at(0)) == .subscribe)
    #expect(machine.checkpoint == checkpoint("901", confirmed: 22 * day))
    machine = resumed(confirmed: 0)
    #expect(answer(&machine, page(new: 5, "900", date: 21 * day)) == commit("900", confirmed: 0))
  }

  /// A stream that has never been read to its end is as old as its first answer.
  @Test func streamThatWasNeverCaughtUpHasGapsToo() {
    let day: Int64 = 86_400
    var machine = FeedStateMachine(testing: FeedRules(type: .all), at: at(0), seed: 1)
    _ = machine.start(from: .oldest, saved: nil, at: at(0))
    _ = machine.stored(at: at(0))
    #expect(
      machine.pageRead(page(new: 5, "900", date: 3 * day), at: at(0)) == commit("900", readSince: 3 * day))
    _ = machine.stored(at: at(0))
    // The second answer doesn't make it younger.
    #expect(
      machine.pageRead(page(new: 5, "950", date: 4 * day), at: at(86_400))
        == commit("950", readSince: 3 * day))
    #expect(machine.positionAge(at: at(86_405)) == .seconds(day + 5))

    var next = FeedStateMachine(testing: FeedRules(type: .all), at: at(0), seed: 1)
    #expect(
      next.start(from: position("950"), saved: checkpoint("950", readSince: 3 * day), at: at(0))
        == read("950"))
    let gap = Gap(
      cause: .retention, from: position("950"), to: position("990"),
      since: BoxTime(secondsSince1970: 3 * day), until: BoxTime(secondsSince1970: 24 * day + 1))
    #expect(answer(&next, page(new: 5, "990", date: 24 * day + 1)) == .record(gap))
  }
}

extension EventBatch {
  /// A page of entries that are numbers, of which the first `new` are new.
  static func sample(id: UInt64 = 0, new: Int = 0, entries: Int = 0, _ next: String? = nil) -> EventBatch {
    let lines = [[UInt8]](repeating: Array("7".utf8), count: entries)
    let page = try? EventPage(lines: lines, nextPosition: next.flatMap { StreamPosition($0) })
    guard let page else { preconditionFailure("not a page") }
    return EventBatch(
      id: id, page: page, readFrom: .oldest, new: [], duplicates: 0, newRejects: Array(0..<new))
  }
}

extension PageOutcome {
  init(new: Int, entries: Int, _ next: String?, date: BoxTime? = nil) {
    self.init(.sample(new: new, entries: entries, next), date: date)
  }
}

extension FeedStateMachine {
  /// A machine whose unexpected inputs fail the test.
  init(testing rules: FeedRules, at now: FeedInstant, seed: UInt64) {
    self.init(rules: rules, at: now, seed: seed) { Issue.record("\($0)") }
  }
}
