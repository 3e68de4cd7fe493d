import BoxEvents
import Synchronization
import Systemd
import Testing

@testable import EventDaemon

/// What the driver reports, and what it waits out.
@Suite(.timeLimit(.minutes(10))) struct FeedDriverProblemTests {
  private let log = RecordedLog()
  private let clock = ManualClock()
  private let telemetry = StreamTelemetry(name: "work", retention: .seconds(21 * 86_400))

  private func driver<Store: EventStore>(
    _ source: ScriptedSource, _ store: Store
  ) -> FeedDriver<ScriptedSource, Store, ManualClock> {
    FeedDriver(
      source: source, store: store, clock: clock, rules: FeedRules(type: .all), start: .now, seed: 1,
      report: FeedReport(telemetry, logger: log.logger))
  }

  private func run(_ source: ScriptedSource, _ store: some EventStore) async throws {
    let driver = driver(source, store)
    let task = Task {
      var driver = driver
      try await driver.run()
    }
    await source.scriptEnded()
    task.cancel()
    try await task.value
  }

  private func checkpoint(_ digits: String) throws -> Checkpoint {
    Checkpoint(position: .at(try #require(StreamPosition(digits))))
  }

  @Test func reportsEveryFailure() async throws {
    let store = MemoryStore(try checkpoint("7"))
    try await run(
      ScriptedSource([
        .failure(FeedFailure(.serverError, "503")), .page(#"{"entries":[]}"#),
        .failure(FeedFailure(.forbidden, "no OPTIONS")),
      ]), store)
    #expect(
      log.entries.filter { $0.id == .boxUnreachable }.map { $0.metadata["detail"] } == ["503", "no OPTIONS"])
  }

  /// A page of entries that aren't events is progress: they are quarantined, and the position moves on.
  @Test func commitsAPageOfRejects() async throws {
    let store = MemoryStore(try checkpoint("7"))
    try await run(ScriptedSource([.page(#"{"entries":[17,null],"next_stream_position":"8"}"#)]), store)
    #expect(await store.quarantined == 2)
    #expect(await store.checkpoints.first == (try checkpoint("8")))
    #expect(log.entries.filter { $0.id == .quarantined }.map { $0.metadata["entries"] } == ["2"])
  }

  /// Box names no position for a while: what it serves is stored once, and the problem and its end are logged.
  @Test func reportsPagesWithoutAPosition() async throws {
    let store = MemoryStore(try checkpoint("7"))
    let page = #"{"entries":[{"event_id":"a"}],"next_stream_position":null}"#
    try await run(
      ScriptedSource([
        .page(page), .page(page),
        .page(#"{"entries":[{"event_id":"a"},{"event_id":"b"}],"next_stream_position":8}"#),
        .page(#"{"entries":[],"next_stream_position":8}"#), .server,
      ]), store)
    #expect(await store.lines.count == 2)
    #expect(await store.checkpoints.map(\.position.description) == ["7", "8"])
    let detail = "Box's answer has an unusable next_stream_position (null)"
    #expect(
      log.entries.filter { $0.id == .boxUnreachable }.map { $0.metadata["detail"] } == [detail, detail])
    #expect(log.entries.count { $0.id == .boxBack } == 1)
    #expect(clock.waits.count == 2)
  }

  /// What is not in the quarantine yet isn't reported as being there.
  @Test func logsNoEntryBeforeItIsQuarantined() async throws {
    let store = MemoryStore(try checkpoint("7"))
    await store.failCommits(with: StoreFailure(.io, "sync failed"))
    var driver = driver(
      ScriptedSource([.page(#"{"entries":[17],"next_stream_position":"8"}"#)]), store)
    await #expect(throws: StoreFailure.self) { try await driver.run() }
    #expect(log.entries.filter { $0.id == .quarantined }.isEmpty)
  }

  @Test func retriesARecoveryOnAFullDisk() async throws {
    let store = FullStore(MemoryStore(try checkpoint("7")), fullRecoveries: 3)
    let source = ScriptedSource([.page(#"{"entries":[{"event_id":"a"}],"next_stream_position":"8"}"#)])
    try await run(source, store)
    #expect(clock.waits.prefix(3) == [.seconds(2), .seconds(2), .seconds(2)])
    #expect(log.entries.filter { $0.id == .paused }.count == 1)
    #expect(await store.base.lines.count == 1)
  }

  /// The store's own words: which disk it is, and how much is left.
  @Test func reportsTooLittleFreeSpace() async throws {
    let store = MemoryStore(try checkpoint("7"))
    await store.setFull(checks: 2)
    try await run(ScriptedSource([.page(#"{"entries":[],"next_stream_position":"8"}"#)]), store)
    #expect(
      log.entries.filter { $0.id == .paused }.map { $0.metadata["detail"] } == ["too little is left"])
  }

  /// A gap that is recorded is counted and logged.
  @Test func reportsAGap() async throws {
    var old = try checkpoint("7")
    old.confirmedAt = BoxTime(secondsSince1970: 0)
    let store = MemoryStore(old)
    let page = #"{"entries":[],"next_stream_position":"7"}"#
    let answer = ScriptedSource.Answer.page(page, date: 22 * 86_400)
    try await run(ScriptedSource([answer, answer]), store)
    #expect(await store.gaps.count == 1)
    #expect(log.entries.filter { $0.id == .gap }.count == 1)
    #expect(telemetry.snapshot(at: clock.now).gapsTotal == 1)
  }
}

/// A store whose disk is full when it is opened.
private actor FullStore: EventStore {
  let base: MemoryStore
  private var fullRecoveries: Int

  init(_ base: MemoryStore, fullRecoveries: Int) {
    self.base = base
    self.fullRecoveries = fullRecoveries
  }

  func recover() async throws(StoreFailure) -> Recovery {
    if fullRecoveries > 0 {
      fullRecoveries -= 1
      throw StoreFailure(.noSpace, "full")
    }
    return try await base.recover()
  }

  func begin(at checkpoint: Checkpoint) async throws(StoreFailure) { try await base.begin(at: checkpoint) }
  func deduplicate(_ page: EventPage, readFrom position: ReadPosition) async throws(StoreFailure)
    -> EventBatch
  {
    try await base.deduplicate(page, readFrom: position)
  }
  func commit(_ batch: EventBatch, at checkpoint: Checkpoint) async throws(StoreFailure) -> Committed {
    try await base.commit(batch, at: checkpoint)
  }
  func save(_ checkpoint: Checkpoint) async throws(StoreFailure) { try await base.save(checkpoint) }
  func record(_ gap: Gap) async throws(StoreFailure) { try await base.record(gap) }
  func requireFreeSpace() async throws(StoreFailure) { try await base.requireFreeSpace() }
  func close() async { await base.close() }
}
