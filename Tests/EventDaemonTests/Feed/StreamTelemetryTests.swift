import BoxEvents
import Testing

@testable import BoxClient
@testable import EventDaemon

/// The metrics of one stream, as status and metrics show them.
@Suite struct StreamTelemetryTests {
  private let telemetry = StreamTelemetry(name: "work", retention: .seconds(21 * 86_400))
  private var metrics = StreamMetrics(name: "work")

  private func at(_ seconds: Double) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }

  private func machine(age: Int64 = 100) throws -> FeedStateMachine {
    let position = ReadPosition.at(try #require(StreamPosition("100")))
    var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(0), seed: 1)
    let checkpoint = Checkpoint(position: position, confirmedAt: BoxTime(secondsSince1970: 1000))
    _ = machine.start(from: position, saved: checkpoint, at: at(0))
    let news = try batch(#"{"entries":[{}],"next_stream_position":101}"#, new: [0])
    _ = machine.pageRead(
      PageOutcome(news, date: BoxTime(secondsSince1970: 1000 + age)), at: at(0))
    return machine
  }

  private mutating func enter(_ state: StreamState, deadline: FeedInstant?) {
    (metrics.snapshot.state, metrics.deadline) = (state, deadline)
    telemetry.publish(metrics)
  }

  private func batch(_ text: String, new: [Int], rejects: [Int] = [], duplicates: Int = 0) throws
    -> EventBatch
  {
    EventBatch(
      id: 1, page: try EventPage(parsing: Array(text.utf8)), readFrom: .now, new: new, duplicates: duplicates,
      newRejects: rejects)
  }

  /// A stream that reads on from a saved position.
  private mutating func publishReading(at now: FeedInstant) throws -> FeedStateMachine {
    let position = ReadPosition.at(try #require(StreamPosition("100")))
    var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(0), seed: 1)
    _ = machine.start(from: position, saved: Checkpoint(position: position), at: now)
    metrics.observe(machine, at: now)
    telemetry.publish(metrics)
    return machine
  }

  @Test mutating func passedDeadlineIsNotTimely() {
    enter(.reading, deadline: at(10))
    #expect(telemetry.snapshot(at: at(10)).isTimely)
    #expect(!telemetry.snapshot(at: at(10.1)).isTimely)
    #expect(telemetry.overrun(at: at(15)) == .seconds(5))
    telemetry.setDeadline(at(20))
    #expect(telemetry.snapshot(at: at(15)).isTimely)
    enter(.stopped, deadline: nil)
    #expect(telemetry.snapshot(at: at(1_000_000)).isTimely)
    #expect(telemetry.overrun(at: at(1_000_000)) == nil)
  }

  /// A call of the store may queue behind other streams' calls for as long as those take.
  @Test mutating func theStoresCallsHaveDeadlinesOfTheirOwn() throws {
    var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(0), seed: 1) { Issue.record("\($0)") }
    _ = machine.start(from: .oldest, saved: nil, at: at(0))
    while machine.awaitsStore { _ = machine.stored(at: at(0)) }
    metrics.observe(machine, at: at(0))
    #expect(metrics.deadline != nil)
    let page = #"{"entries":[{"event_id":"a"}],"next_stream_position":"7"}"#
    let outcome = PageOutcome(try batch(page, new: [0]), date: nil)
    while !machine.awaitsStore { _ = machine.pageRead(outcome, at: at(1)) }
    metrics.observe(machine, at: at(1))
    #expect(metrics.deadline == nil)
    while machine.awaitsStore { _ = machine.stored(at: at(2)) }
    metrics.observe(machine, at: at(2))
    #expect(metrics.deadline == machine.deadline)
  }

  @Test mutating func ageGrowsAndRetentionRunsOutBetweenObservations() throws {
    #expect(telemetry.snapshot(at: at(0)).positionAge == nil)
    metrics.observe(try machine(), at: at(0))
    telemetry.publish(metrics)
    #expect(telemetry.snapshot(at: at(0)).positionAge == .seconds(100))
    let later = telemetry.snapshot(at: at(50))
    #expect(later.positionAge == .seconds(150))
    #expect(later.retentionLeft == .seconds(21 * 86_400 - 150))
    #expect(later.position == "100")
    #expect(later.state == .reading)
  }

  /// An answer that trickles, or never comes: shown after a minute, and nothing is wrong yet.
  @Test mutating func anAnswerThatTakesLongIsShown() throws {
    var machine = try publishReading(at: at(10))
    #expect(telemetry.snapshot(at: at(69)).answerAwaited == nil)
    let late = telemetry.snapshot(at: at(85))
    #expect(late.answerAwaited == .seconds(75))
    #expect(late.state == .reading && late.problem == nil)
    enter(.stopped, deadline: nil)
    #expect(telemetry.snapshot(at: at(85)).answerAwaited == nil)
    // Every request has a time of its own; a poll may take long.
    let nothing = try batch(#"{"entries":[],"next_stream_position":100}"#, new: [])
    _ = machine.pageRead(PageOutcome(nothing, date: nil), at: at(90))
    metrics.observe(machine, at: at(90))
    telemetry.publish(metrics)
    #expect(telemetry.snapshot(at: at(149)).answerAwaited == nil)
    #expect(telemetry.snapshot(at: at(150)).answerAwaited == .seconds(60))
    _ = machine.subscribed(RealtimeServer(url: Secret("https://realtime.box.com/")), at: at(160))
    metrics.observe(machine, at: at(160))
    telemetry.publish(metrics)
    #expect(telemetry.snapshot(at: at(500)).answerAwaited == nil)
  }

  /// The deadline moves by the calls that must end before and by the wait for `calls_per_minute`; meanwhile Box isn't
  /// asked for anything.
  @Test mutating func aCallThatWaitsForItsTurnMovesTheDeadline() throws {
    _ = try publishReading(at: at(0))
    let budget = Duration.seconds(720)
    let stages: [(CallStage, deadline: Double)] = [
      (.queued(rounds: 2, wait: .seconds(100)), 2_270), (.queued(rounds: 0, wait: .seconds(36_000)), 36_730),
      (.began, 730),
    ]
    for (stage, deadline) in stages {
      telemetry.observe(stage, budget: budget, at: at(10))
      #expect(telemetry.overrun(at: at(deadline)) == .zero)
      if case .queued = stage { #expect(telemetry.snapshot(at: at(deadline)).answerAwaited == nil) }
    }
    #expect(telemetry.snapshot(at: at(70)).answerAwaited == .seconds(60))
  }

  /// Where Box can't be reached from the first start on, an alert on the age is the only one that fires.
  @Test mutating func aStreamThatNeverReachedBoxAgesFromItsStart() throws {
    var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(10), seed: 1)
    _ = machine.start(from: .now, saved: nil, at: at(10))
    while machine.awaitsStore { _ = machine.stored(at: at(10)) }
    metrics.observe(machine, at: at(10))
    telemetry.publish(metrics)
    _ = machine.readFailed(FeedFailure(.unreachable, "no route"), at: at(1_000))
    metrics.observe(machine, at: at(1_000))
    telemetry.publish(metrics)
    let late = telemetry.snapshot(at: at(1_300))
    #expect(late.positionAge == .seconds(1_290))
    // When Box's time for what it would miss runs out is unknown.
    #expect(late.retentionLeft == nil)
  }

  /// After a start, and for as long as Box doesn't answer.
  @Test mutating func ageIsKnownBeforeTheFirstAnswer() throws {
    let position = ReadPosition.at(try #require(StreamPosition("100")))
    let day: Int64 = 86_400
    for (ago, isKnown) in [(9 * day, true), (-day, false)] {
      var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(0), seed: 1)
      let confirmed = BoxTime(secondsSince1970: Int64(LocalTime.now) - ago)
      let checkpoint = Checkpoint(position: position, confirmedAt: confirmed)
      _ = machine.start(from: position, saved: checkpoint, at: at(0))
      metrics.observe(machine, at: at(0))
      telemetry.publish(metrics)
      let age = telemetry.snapshot(at: at(0)).positionAge
      #expect(isKnown ? age.map { $0 >= .seconds(ago) && $0 < .seconds(ago + day) } == true : age == .zero)
      // Box's own time counts as soon as it is known.
      let news = try batch(#"{"entries":[{}],"next_stream_position":101}"#, new: [0])
      let date = BoxTime(secondsSince1970: confirmed.secondsSince1970 + 100)
      _ = machine.pageRead(PageOutcome(news, date: date), at: at(0))
      metrics.observe(machine, at: at(0))
      telemetry.publish(metrics)
      #expect(telemetry.snapshot(at: at(0)).positionAge == .seconds(100))
    }
  }

  @Test mutating func countsReadsAndCommits() throws {
    #expect(!metrics.snapshot.hasRecovered)
    metrics.recovered(Recovery(checkpoint: nil, ordinal: 1000, recordedGaps: 4))
    #expect(metrics.snapshot.hasRecovered)
    #expect(metrics.snapshot.eventsTotal == 1000)
    #expect(metrics.snapshot.gapsTotal == 4)
    let page = #"{"entries":[{"event_id":"a"},{"event_id":"b","created_at":"2020-01-01T00:00:00Z"},17,null]}"#
    let given = try batch(page, new: [0, 1], rejects: [0, 1], duplicates: 3)
    let gap = Gap(cause: .spoolShortened, from: nil, to: nil)
    metrics.deduplicated(given)
    metrics.committed(
      given, Committed(events: 2, bytes: 77, ordinal: 1002, gaps: [gap]), took: .milliseconds(20))
    metrics.recordedGap()
    metrics.recordedGap()
    telemetry.requested(FinishedCall(endpoint: "events", code: "200", duration: .seconds(1)))
    telemetry.requested(FinishedCall(endpoint: "events", code: "200", duration: .seconds(1)))
    // What the driver publishes leaves the requests as they are.
    telemetry.publish(metrics)
    let snapshot = telemetry.snapshot(at: at(0))
    #expect(snapshot.eventsTotal == 1002)
    #expect(snapshot.duplicatesTotal == 3)
    #expect(snapshot.bytesTotal == 77)
    #expect(snapshot.quarantinedTotal == 2)
    #expect(snapshot.gapsTotal == 7)
    #expect(snapshot.commitSeconds.count == 1 && snapshot.commitSeconds.sum == 0.02)
    #expect(snapshot.requests == [.init(endpoint: "events", code: "200"): 2])
    #expect(snapshot.requestSeconds.sum == 2)
    // More than six years.
    #expect(snapshot.deliveryDelaySeconds.count == 1 && snapshot.deliveryDelaySeconds.sum > 180_000_000)
    #expect(snapshot.lastEventAt != nil && snapshot.lastCommitAt == snapshot.lastEventAt)
  }

  @Test mutating func commitOfRejectsAloneIsNotAnEvent() throws {
    let given = try batch(#"{"entries":[17]}"#, new: [], rejects: [0])
    metrics.committed(given, Committed(events: 0, bytes: 0, ordinal: 5), took: .zero)
    let snapshot = metrics.snapshot
    #expect(snapshot.lastEventAt == nil)
    #expect(snapshot.lastCommitAt != nil)
    #expect(snapshot.deliveryDelaySeconds.count == 0)
  }

  /// Also one that has been polling, where an error is over when a server holds the poll.
  @Test mutating func blockedStreamIsTimelyAndKeepsItsError() throws {
    var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(0), seed: 1)
    _ = machine.start(from: .oldest, saved: Checkpoint(position: .oldest), at: at(0))
    let nothing = try batch(#"{"entries":[],"next_stream_position":0}"#, new: [])
    _ = machine.pageRead(PageOutcome(nothing, date: nil), at: at(0))
    _ = machine.subscribed(RealtimeServer(url: Secret("https://realtime.box.com/")), at: at(1))
    #expect(machine.condition == .polling)
    metrics.observe(machine, at: at(1))
    enter(.polling, deadline: at(10))
    let failure = StoreFailure(.blocked, "another feed", hint: "Set it.")
    telemetry.block(OperatorActionRequired(failure), at: at(20))
    let snapshot = telemetry.snapshot(at: at(1000))
    #expect(snapshot.state == .blocked)
    #expect(snapshot.error == "another feed. Set it.")
    #expect(snapshot.isTimely)
    #expect(telemetry.operatorActionRequired?.reason.remedy == .data)
  }

  /// The stream is read every minute, and OPTIONS tried again later than the next read.
  @Test mutating func withoutRealtimeTheStreamIsRead() throws {
    var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(0), seed: 1)
    _ = machine.start(from: .oldest, saved: Checkpoint(position: .oldest), at: at(0))
    let nothing = try batch(#"{"entries":[],"next_stream_position":0}"#, new: [])
    _ = machine.pageRead(PageOutcome(nothing, date: nil), at: at(0))
    var failure = FeedFailure(.refused, "Box answered 405", hint: "Ask Box.", retryAfter: .seconds(600))
    failure.isOfRealtime = true
    _ = machine.subscribeFailed(failure, at: at(0))
    metrics.observe(machine, at: at(0))
    telemetry.publish(metrics)
    let snapshot = telemetry.snapshot(at: at(1))
    #expect(snapshot.state == .waiting)
    #expect(
      snapshot.error
        == "no realtime notifications (Box answered 405); the stream is read every minute meanwhile. Ask Box."
    )
    #expect(snapshot.problem == .degraded)
    #expect(try #require(snapshot.nextAttempt) >= .seconds(500))
    _ = machine.woke(at: at(60))
    _ = machine.readFailed(FeedFailure(.refused, "Box answered 400"), at: at(60))
    metrics.observe(machine, at: at(60))
    #expect(metrics.snapshot.error == "Box answered 400")
    #expect(metrics.snapshot.problem == .failing)
  }

  @Test(arguments: FeedFailure.Code.allCases)
  func onlyARefusedSignInIsFixedBySigningIn(code: FeedFailure.Code) {
    #expect(
      OperatorActionRequired(FeedFailure(code, "x")).remedy == (code == .signInRefused ? .signIn : .data))
  }
}
