import BoxEvents
import Logging
import Systemd
import Testing

@testable import EventDaemon

/// What an operator reads of one stream: each change once, with the id the catalog explains.
@Suite struct StreamJournalTests {
  private let log: RecordedLog
  private var journal: StreamJournal

  init() {
    log = RecordedLog()
    journal = StreamJournal(logger: log.logger, stream: "work", retention: .seconds(21 * 86_400))
  }

  private func at(_ seconds: Double) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }

  /// A machine that reads on from position 100, last seen complete so long before Box's time.
  private func machine(age: Int64 = 0) throws -> FeedStateMachine {
    let position = ReadPosition.at(try #require(StreamPosition("100")))
    var machine = FeedStateMachine(rules: FeedRules(type: .all), at: at(0), seed: 1)
    let checkpoint = Checkpoint(position: position, confirmedAt: BoxTime(secondsSince1970: 1_000_000_000))
    _ = machine.start(from: position, saved: checkpoint, at: at(0))
    let outcome = PageOutcome(try news("101"), date: BoxTime(secondsSince1970: 1_000_000_000 + age))
    if case .wait = machine.pageRead(outcome, at: at(0)) {
      // After a day or more the date is to be confirmed.
      _ = machine.retry(at: at(0))
      _ = machine.pageRead(outcome, at: at(0))
    }
    return machine
  }

  /// A page with one new event.
  private func news(_ next: String = "1") throws -> EventBatch {
    let page = try EventPage(lines: [Array("{}".utf8)], nextPosition: StreamPosition(next))
    return EventBatch(id: 1, page: page, readFrom: .now, new: [0], duplicates: 0)
  }

  /// Observes, and gives the ids of what was logged.
  @discardableResult
  private mutating func observe(
    _ condition: FeedCondition, age: Int64 = 0, at now: Double = 0
  ) throws -> [MessageID?] {
    journal.observe(condition, try machine(age: age), at: at(now))
    return log.taken().map(\.id)
  }

  private mutating func failures(_ code: FeedFailure.Code, _ count: Int) -> [RecordedLog.Entry] {
    for _ in 0..<count {
      journal.failed(FeedFailure(code, "no answer", hint: "look", status: 503, requestID: "r1"), at: at(0))
    }
    return log.taken().filter { $0.level > .debug }
  }

  private let full = StoreFailure(.noSpace, "full")
  private let blocked = FeedCondition.blocked(FeedFailure(.refused, "400", hint: "fix it", requestID: "r7"))

  @Test mutating func everyEntryNamesItsStream() throws {
    try observe(.polling)
    journal.recorded(Gap(cause: .retention, from: nil, to: nil))
    journal.failed(FeedFailure(.unreachable, "x"), at: at(0))
    #expect(log.entries.allSatisfy { $0.metadata["stream"] == "work" })
  }

  @Test mutating func aFailureOfRealtimeIsNotOneOfTheReads() throws {
    func sentences() -> [String] { log.taken().filter { $0.level > .debug }.map { "\($0.message)" } }
    var failure = FeedFailure(.refused, "Box answered 405", status: 405)
    failure.isOfRealtime = true
    journal.failed(failure, at: at(0))
    #expect(sentences() == ["no realtime notifications; the stream is read at intervals meanwhile"])
    failure.isOfRealtime = false
    journal.failed(failure, at: at(0))
    #expect(sentences() == ["cannot get events"])
    failure.isOfRealtime = true
    journal.failed(failure, at: at(0))
    _ = sentences()
    journal.observe(.polling, try machine(), at: at(0))
    #expect(sentences().contains("getting realtime notifications again"))
  }

  // MARK: Retention

  @Test(
    arguments: [(49.9, nil), (50.0, 50), (79.9, 50), (80.0, 80), (94.9, 80), (95.0, 95), (300.0, 95)]
      as [(Double, Int?)])
  mutating func warnsBeforeRetentionEnds(percent: Double, checkpoint: Int?) throws {
    journal.observe(
      .reading, try machine(age: Int64(percent * 21 * 864)), at: at(0))
    let warnings = log.taken().filter { $0.id == .retentionWarning }
    #expect(warnings.count == (checkpoint == nil ? 0 : 1))
    #expect(warnings.first?.level == checkpoint.map { _ in .warning })
    if let checkpoint {
      #expect(warnings.first?.metadata["detail"]?.contains("older than \(checkpoint) %") == true)
    }
  }

  @Test mutating func warnsOnceAThresholdUntilCaughtUp() throws {
    let day: Int64 = 86_400
    for (age, warns) in [
      (9, false), (11, true), (12, false), (17, true), (18, false), (20, true), (22, false),
    ] as [(Int64, Bool)] {
      #expect(try observe(.reading, age: age * day).contains(.retentionWarning) == warns, "\(age) days")
    }
    #expect(try observe(.reading, age: 0).isEmpty)
    #expect(try observe(.reading, age: 11 * day) == [.retentionWarning])
  }

  @Test mutating func ageGrowsWhileBoxIsSilent() throws {
    #expect(try observe(.waiting(nil), age: 0, at: 10 * 86_400).isEmpty)
    #expect(try observe(.waiting(nil), age: 0, at: 11 * 86_400) == [.retentionWarning])
  }

  // MARK: Conditions

  @Test mutating func logsABlockOnceWithItsRequest() throws {
    journal.observe(blocked, try machine(), at: at(0))
    let entry = try #require(log.taken().first)
    #expect(entry.id == .streamBlocked)
    #expect(entry.level == .error)
    #expect(entry.metadata["detail"] == "400")
    #expect(entry.metadata["hint"] == "fix it")
    #expect(entry.metadata["request_id"] == "r7")
    #expect(try observe(blocked).isEmpty)
    #expect(try observe(.reading).isEmpty)
    #expect(try observe(blocked) == [.streamBlocked])
  }

  @Test mutating func logsAStallOnce() throws {
    #expect(try observe(.stalled) == [.streamStalled])
    #expect(try observe(.stalled).isEmpty)
  }

  @Test mutating func logsAFullDiskAndItsEnd() throws {
    #expect(try observe(.paused(full)) == [.paused])
    #expect(try observe(.paused(full)).isEmpty)
    // A read that looks at the disk is not a resumption, and no new pause follows it.
    for _ in 1...3 {
      #expect(try observe(.reading).isEmpty)
      #expect(try observe(.paused(full)).isEmpty)
    }
    #expect(try observe(.polling).contains(.resumed))
    #expect(try observe(.reading).isEmpty)
  }

  @Test mutating func pauseNamesTheFullDiskAndItsRemedy() throws {
    for detail in ["less than keep_free is left", "cannot write /state: full"] {
      try observe(.polling)
      journal.observe(.paused(StoreFailure(.noSpace, detail)), try machine(), at: at(0))
      let entry = try #require(log.taken().last)
      #expect(entry.id == .paused)
      #expect(entry.metadata["detail"] == detail)
      #expect(entry.metadata["hint"]?.contains("Free some space") == true)
    }
  }

  @Test mutating func logsAPauseBeforeTheFirstReadOnce() throws {
    journal.paused(full)
    journal.paused(full)
    #expect(log.taken().map(\.id) == [.paused])
    #expect(try observe(.polling).contains(.resumed))
  }

  @Test mutating func logsCatchingUpOnceWithItsEvents() throws {
    try observe(.reading)
    for events in [500, 500, 20] {
      journal.committed(try news(), Committed(events: events, bytes: 1, ordinal: 1))
    }
    journal.observe(.polling, try machine(), at: at(0))
    let entry = try #require(log.taken().first)
    #expect(entry.id == .caughtUp)
    #expect(entry.metadata["events"] == "1020")
    #expect(entry.metadata["position"] == "100")
    try observe(.reading)
    journal.committed(try news(), Committed(events: 5, bytes: 1, ordinal: 1))
    #expect(try observe(.polling).isEmpty)
  }

  // MARK: Failures

  @Test(arguments: [
    (FeedFailure.Code.unreachable, MessageID.boxUnreachable), (.throttled, .boxUnreachable),
    (.serverError, .boxUnreachable), (.unauthorized, .boxUnreachable), (.malformedPage, .boxUnreachable),
    (.realtimeRefused, .realtimeRefused),
  ])
  mutating func logsEveryFailureWithItsID(code: FeedFailure.Code, id: MessageID) throws {
    let entry = try #require(failures(code, 1).first)
    #expect(entry.id == id)
    #expect(entry.level == .warning)
    #expect(entry.metadata["detail"] == "no answer")
    #expect(entry.metadata["hint"] == "look")
    #expect(entry.metadata["status"] == "503")
    #expect(entry.metadata["request_id"] == "r1")
  }

  @Test mutating func logsALastingFailureLessAndLess() {
    #expect(
      failures(.unreachable, 100).compactMap { $0.metadata["times"] } == ["2", "4", "8", "16", "32", "64"])
    // Another failure is logged at once.
    #expect(failures(.throttled, 1).count == 1)
    // The first one has not ended in the meantime.
    #expect(failures(.unreachable, 1).isEmpty)
  }

  @Test mutating func whatFailsOnAndOffIsOneProblem() throws {
    var lines = 0
    for round in 0..<100 {
      let now = Double(round) * 60
      for isOfRealtime in [true, false] {
        var failure = FeedFailure(.serverError, "Box answered 502")
        failure.isOfRealtime = isOfRealtime
        journal.failed(failure, at: at(now))
        journal.observe(.reading, try machine(), at: at(now))
        journal.observe(.polling, try machine(), at: at(now + 30))
      }
      lines += log.taken().count { $0.level > .debug }
    }
    // Seven powers of two up to 100, each with its end, for reads and for realtime; and catching up.
    #expect(lines == 4 * 7 + 1)
  }

  @Test mutating func aProblemThatReturnsLaterIsLoggedAgain() throws {
    for now in [0.0, 30, 60, 1000] {
      journal.failed(FeedFailure(.serverError, "Box answered 502"), at: at(now))
      journal.observe(.reading, try machine(), at: at(now))
      journal.observe(.polling, try machine(), at: at(now + 1))
    }
    let sentences = log.taken().filter { $0.id == .boxUnreachable }.map { $0.metadata["times"] ?? "1" }
    #expect(sentences == ["1", "2", "1"])
  }

  @Test mutating func readsThatWorkEndTheirProblemThoughRealtimeFails() throws {
    var failure = FeedFailure(.serverError, "Box answered 502")
    journal.failed(failure, at: at(0))
    failure.isOfRealtime = true
    journal.read()
    journal.failed(failure, at: at(1))
    _ = log.taken()
    journal.observe(.waiting(failure), try machine(), at: at(2))
    #expect(log.taken().map { "\($0.message)" } == ["getting events again"])
  }

  /// A sign-in is logged once for all its streams, by `SignInLog`.
  @Test(arguments: [FeedFailure.Code.signInRefused, .signInFailed])
  mutating func leavesSignInsToTheirLog(code: FeedFailure.Code) throws {
    #expect(failures(code, 8).isEmpty)
    #expect(try observe(.blocked(FeedFailure(code, "dead"))).isEmpty)
    try observe(.reading)
    journal.read()
    #expect(try observe(.waiting(nil)).isEmpty)
    // What follows counts from its own first failure.
    #expect(failures(.unreachable, 1).count == 1)
  }

  @Test mutating func ignoresACancelledCall() {
    #expect(failures(.cancelled, 3).isEmpty)
  }

  /// A stream without a realtime server never polls: its wait for the next read ends the row.
  @Test mutating func endsARowOfFailuresInAWaitWithoutAProblem() throws {
    _ = failures(.unreachable, 3)
    #expect(try observe(.waiting(FeedFailure(.unreachable, "Box answered 503"))).isEmpty)
    #expect(try observe(.waiting(nil)).isEmpty)
    #expect(try observe(.reading).isEmpty)
    journal.read()
    #expect(try observe(.waiting(nil)) == [.boxBack])
    #expect(failures(.unreachable, 1).count == 1)
  }

  @Test mutating func logsTheEndOfFailuresWithTheirCount() throws {
    try observe(.polling)
    _ = failures(.unreachable, 7)
    try observe(.reading)
    journal.observe(.polling, try machine(), at: at(0))
    let entry = try #require(log.taken().first)
    #expect(entry.id == .boxBack)
    #expect(entry.metadata["failures"] == "7")
    try observe(.reading)
    #expect(try observe(.polling).isEmpty)
  }

  // MARK: The store

  @Test mutating func logsAGapAsAnError() throws {
    journal.recorded(Gap(cause: .positionSet, from: .oldest, to: nil))
    let entry = try #require(log.taken().first)
    #expect(entry.id == .gap)
    #expect(entry.level == .error)
    #expect(entry.metadata["detail"] == "position-set")
    #expect(entry.metadata["from"] == "0")
    #expect(entry.metadata["to"] == "unknown")
  }

  @Test mutating func logsTheQuarantinedEntriesOfAPageInOneLine() throws {
    let page = try EventPage(parsing: Array(#"{"entries":[17,{"event_id":"a"},NaN,null]}"#.utf8))
    let batch = EventBatch(
      id: 1, page: page, readFrom: .now, new: [0], duplicates: 0, newRejects: [0, 2])
    journal.committed(batch, Committed(events: 1, bytes: 17, ordinal: 1))
    let entries = log.taken()
    #expect(entries.map(\.id) == [.quarantined])
    #expect(entries.first?.metadata["bytes"] == "2")
    #expect(entries.first?.metadata["entries"] == "2")
    #expect(entries.first?.metadata["reason"] == "not an object")
  }

  @Test mutating func logsTheStepsOfARecovery() {
    journal.recovered(Recovery(checkpoint: nil, ordinal: 7, notes: ["one", "two"], rebuilt: true))
    let entries = log.taken()
    #expect(entries.compactMap { $0.metadata["detail"] } == ["one", "two"])
    #expect(entries.last?.id == .positionRebuilt)
    #expect(entries.last?.level == .warning)
    journal.recovered(Recovery(checkpoint: nil, ordinal: 7))
    #expect(log.taken().isEmpty)
  }

  @Test mutating func logsGapsThatTheStoreFinds() throws {
    let gap = Gap(cause: .spoolShortened, from: nil, to: .oldest)
    journal.recovered(Recovery(checkpoint: nil, ordinal: 7, gaps: [gap], recordedGaps: 3))
    journal.committed(try news(), Committed(events: 1, bytes: 9, ordinal: 8, gaps: [gap]))
    let entries = log.taken()
    #expect(entries.map(\.id) == [.gap, .gap])
    #expect(entries.allSatisfy { $0.metadata["detail"] == "spool-shortened" && $0.metadata["to"] == "0" })
  }
}
