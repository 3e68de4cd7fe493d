import BoxEvents
import Logging
import Testing

@testable import EventDaemon

/// The driver with a scripted source, a store in memory and a clock that never waits.
@Suite(.timeLimit(.minutes(10))) struct FeedDriverTests {
  private struct DriverFixture {
    let source: ScriptedSource
    let store: MemoryStore
    let clock = ManualClock()
    let telemetry = StreamTelemetry(name: "default", retention: .seconds(21 * 86_400))

    func driver(
      _ rules: FeedRules = FeedRules(type: .all), start: ReadPosition = .now
    ) -> FeedDriver<ScriptedSource, MemoryStore, ManualClock> {
      FeedDriver(
        source: source, store: store, clock: clock, rules: rules, start: start, seed: 1,
        report: FeedReport(
          telemetry, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Runs the driver until the script has ended, then stops it as SIGTERM would.
    func run(start: ReadPosition = .now, _ change: (inout FeedRules) -> Void = { _ in }) async throws {
      var rules = FeedRules(type: .all)
      change(&rules)
      let driver = driver(rules, start: start)
      let task = Task {
        var driver = driver
        try await driver.run()
      }
      await source.scriptEnded()
      task.cancel()
      try await task.value
    }
  }

  private func checkpoint(_ digits: String, confirmed: Int64? = nil) throws -> Checkpoint {
    let position = try #require(StreamPosition(digits))
    return Checkpoint(
      position: .at(position), confirmedAt: confirmed.map(BoxTime.init(secondsSince1970:)))
  }

  private func page(_ ids: [String], _ next: String) -> String {
    let entries = ids.map { #"{"event_id":"\#($0)"}"# }.joined(separator: ",")
    return #"{"entries":[\#(entries)],"next_stream_position":\#(next)}"#
  }

  /// What the last position was saved for is read again.
  @Test func aFullDiskDoesNotFailTheStop() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([
        .page(page(["a"], "20"), date: 101), .page(page([], "20"), date: 102), .server,
      ]), store: MemoryStore(try checkpoint("10")))
    await fixture.store.fillForSaves()
    try await fixture.run()
    #expect(await fixture.store.checkpoints.map(\.position.description) == ["20"])
    #expect(await fixture.store.isClosed)
  }

  @Test func readsUntilCaughtUpThenPolls() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([
        .page(page([], "10"), date: 100),
        .page(page(["a", "b"], "20"), date: 101),
        .page(page(["b", "c"], "30"), date: 102),
        .page(page(["c"], "30"), date: 103),
        .server, .reply(.newChange),
        .page(page(["c", "d"], "40"), date: 104),
        .page(page([], "40"), date: 105),
      ]), store: MemoryStore())
    try await fixture.run()
    #expect(await fixture.store.lines == ["a", "b", "c", "d"].map { #"{"event_id":"\#($0)"}"# })
    #expect(
      fixture.source.calls == [
        .read("now", limit: 500), .read("10", limit: 500), .read("20", limit: 500), .read("30", limit: 500),
        .subscribe, .poll("30"), .read("30", limit: 500), .read("40", limit: 500), .poll("40"),
      ])
    // The position is saved on the way out too, since it is known to be complete by now.
    #expect(await fixture.store.checkpoints.last == (try checkpoint("40", confirmed: 105)))
    #expect(await fixture.store.isClosed)
    let snapshot = fixture.telemetry.snapshot(at: fixture.clock.now)
    #expect(snapshot.eventsTotal == 4)
    #expect(snapshot.duplicatesTotal == 3)
    #expect(snapshot.state == .stopped)
  }

  /// An event that Box shows late, before a position that was read, is found by a lookback, and counted
  /// unless it has only just happened.
  @Test func findsLateEventsByALookback() async throws {
    let late = #"{"event_id":"late","created_at":"1970-01-01T00:16:00Z"}"#
    let fresh = #"{"event_id":"fresh","created_at":"1970-01-01T00:17:59Z"}"#
    let fixture = DriverFixture(
      source: ScriptedSource([
        .page(page(["a"], "10"), date: 1000), .page(page([], "10"), date: 1001),
        .server, .failure(FeedFailure(.unreachable, "silence")),
        .page(page(["b"], "20"), date: 1070),
        // Time passes until the next attempt.
        .failure(FeedFailure(.unreachable, "silence", retryAfter: .seconds(5))),
        .page(page([], "20"), date: 1080),
        .page(#"{"entries":[{"event_id":"a"},\#(late)],"next_stream_position":15}"#, date: 1080),
        .page(#"{"entries":[{"event_id":"b"},\#(fresh)],"next_stream_position":20}"#, date: 1080),
        .page(page(["b", "fresh"], "30"), date: 1081),
      ]), store: MemoryStore(try checkpoint("5", confirmed: 900)))
    try await fixture.run { $0.lookbackInterval = .milliseconds(1) }
    let lines = await fixture.store.lines
    #expect(lines.contains(late))
    #expect(lines.contains(fresh))
    #expect(lines.count == 4)
    let snapshot = fixture.telemetry.snapshot(at: fixture.clock.now)
    #expect(snapshot.lateTotal == 1)
    #expect(snapshot.lookbacksTotal == 1)
  }

  @Test func goesOnFromTheSavedPosition() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([.page(page([], "77"))]), store: MemoryStore(try checkpoint("77", confirmed: 5)))
    try await fixture.run(start: .oldest)
    #expect(fixture.source.calls.first == .read("77", limit: 500))
    #expect(await fixture.store.checkpoints.isEmpty)
  }

  @Test func quarantinesAnOddEntryAlone() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([
        .page(#"{"entries":[{"event_id":"a"},null,NaN,{"event_id":"b"}],"next_stream_position":"8"}"#),
        .page(#"{"entries":[null,{"event_id":"b"}],"next_stream_position":"8"}"#), .server,
      ]), store: MemoryStore(try checkpoint("7")))
    try await fixture.run()
    #expect(await fixture.store.lines.count == 2)
    #expect(await fixture.store.quarantined == 2)
    #expect(fixture.source.calls.last == .poll("8"))
  }

  @Test func asksForSmallerPages() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([
        .page(#"{"entries":[{"event_id":"a"},{"x":"y"z"}],"next_stream_position":9}"#),
        .page(page(["a"], "8")), .page("<html>", date: 1), .page(page([], "8")), .server,
      ]), store: MemoryStore(try checkpoint("7")))
    try await fixture.run()
    #expect(
      fixture.source.calls == [
        .read("7", limit: 500), .read("7", limit: 50), .read("8", limit: 500), .read("8", limit: 500),
        .subscribe,
        .poll("8"),
      ])
  }

  @Test func losesNothingAfterFailures() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([
        .failure(FeedFailure(.unreachable, "reset")),
        .failure(FeedFailure(.throttled, "429", retryAfter: .seconds(77))),
        .page(page(["a"], "8")), .page(page([], "8")),
        .failure(FeedFailure(.serverError, "no OPTIONS")), .server,
        .failure(FeedFailure(.unreachable, "reset")), .page(page(["b"], "9")), .page(page([], "9")), .server,
      ]), store: MemoryStore(try checkpoint("7")))
    try await fixture.run()
    #expect(await fixture.store.lines.count == 2)
    #expect(fixture.clock.waits.contains(.seconds(77)))
    #expect(fixture.source.calls.last == .poll("9"))
  }

  @Test func pausesOnAFullDiskAndGoesOn() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([.page(page(["a"], "8")), .page(page([], "8"))]),
      store: MemoryStore(try checkpoint("7")))
    await fixture.store.setFull(commits: 3, checks: 2)
    try await fixture.run()
    #expect(await fixture.store.lines == [#"{"event_id":"a"}"#])
    #expect(fixture.clock.waits == Array(repeating: .seconds(2), count: 5))
  }

  @Test func failedSyncEndsTheStream() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([.page(page(["a"], "8"))]), store: MemoryStore(try checkpoint("7")))
    await fixture.store.failCommits(with: StoreFailure(.io, "sync failed", errno: 5))
    var driver = fixture.driver()
    await #expect(throws: StoreFailure.self) { try await driver.run() }
    #expect(await fixture.store.checkpoints.isEmpty)
  }

  @Test func recordsAGapAfterALongAbsence() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([
        .page(page(["a"], "900"), date: 22 * 86_400), .page(page(["a"], "900"), date: 22 * 86_400),
        .page(page([], "900"), date: 22 * 86_400),
      ]), store: MemoryStore(try checkpoint("7", confirmed: 0)))
    try await fixture.run()
    #expect(await fixture.store.gaps.map(\.cause) == [.retention])
    #expect(await fixture.store.lines.count == 1)
    #expect(fixture.telemetry.snapshot(at: fixture.clock.now).gapsTotal == 1)
  }

  /// The page comes once more, and is stored once.
  @Test func recordsNoGapForOneOddDate() async throws {
    let fixture = DriverFixture(
      source: ScriptedSource([
        .page(page(["a"], "900"), date: 22 * 86_400), .page(page(["a"], "900"), date: 11),
        .page(page([], "900"), date: 12),
      ]), store: MemoryStore(try checkpoint("7", confirmed: 10)))
    try await fixture.run()
    #expect(await fixture.store.gaps.isEmpty)
    #expect(await fixture.store.lines.count == 1)
    #expect(await fixture.store.checkpoints.last == (try checkpoint("900", confirmed: 12)))
  }
}
