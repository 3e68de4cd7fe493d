import BoxEvents
import Logging
import Testing

@testable import EventDaemon

/// The driver with a scripted source, a store in memory and a clock that waits for nobody.
@Suite(.timeLimit(.minutes(10))) struct FeedDriverTests {
  private struct Rig {
    let source: ScriptedSource
    let store: MemoryStore
    let clock = ManualClock()
    let telemetry = StreamTelemetry(name: "default", retention: .seconds(21 * 86_400))

    /// Runs the driver until the script has ended, then stops it as SIGTERM would.
    func run(start: ReadPosition = .now, _ change: (inout FeedRules) -> Void = { _ in }) async throws {
      var rules = FeedRules(type: .all)
      change(&rules)
      let report = FeedReport(
        telemetry: telemetry,
        journal: StreamJournal(
          logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, stream: "default"),
        retention: .seconds(21 * 86_400))
      let driver = FeedDriver(
        source: source, store: store, clock: clock, rules: rules, start: start, seed: 1, report: report)
      let task = Task { try await driver.run() }
      await source.scriptEnded()
      task.cancel()
      try await task.value
    }
  }

  private func mark(_ digits: String, confirmed: Int64? = nil) throws -> PositionMark {
    let position = try #require(StreamPosition(digits))
    return PositionMark(
      position: .at(position), confirmedAt: confirmed.map(BoxTime.init(secondsSince1970:)))
  }

  private func page(_ ids: [String], _ next: String) -> String {
    let entries = ids.map { #"{"event_id":"\#($0)"}"# }.joined(separator: ",")
    return #"{"entries":[\#(entries)],"next_stream_position":\#(next)}"#
  }

  @Test func readsUntilDryThenPolls() async throws {
    let rig = Rig(
      source: ScriptedSource([
        .page(page([], "10"), date: 100),
        .page(page(["a", "b"], "20"), date: 101),
        .page(page(["b", "c"], "30"), date: 102),
        .page(page(["c"], "30"), date: 103),
        .server, .reply(.newChange),
        .page(page(["c", "d"], "40"), date: 104),
        .page(page([], "40"), date: 105),
      ]), store: MemoryStore())
    try await rig.run()
    #expect(await rig.store.lines == ["a", "b", "c", "d"].map { #"{"event_id":"\#($0)"}"# })
    #expect(
      rig.source.calls == [
        .read("now", limit: 500), .read("10", limit: 500), .read("20", limit: 500), .read("30", limit: 500),
        .subscribe, .poll("30"), .read("30", limit: 500), .read("40", limit: 500), .poll("40"),
      ])
    // The position is saved on the way out too, since it is known to be complete by now.
    #expect(await rig.store.marks.last == (try mark("40", confirmed: 105)))
    #expect(await rig.store.isClosed)
    let snapshot = rig.telemetry.snapshot(at: rig.clock.now)
    #expect(snapshot.eventsTotal == 4)
    #expect(snapshot.duplicatesTotal == 3)
    #expect(snapshot.state == .stopped)
  }

  /// What Box shows only afterwards, behind a position that was read, is found by looking back, and counted
  /// unless it has only just happened.
  @Test func looksBackForLateEvents() async throws {
    let late = #"{"event_id":"late","created_at":"1970-01-01T00:16:00Z"}"#
    let fresh = #"{"event_id":"fresh","created_at":"1970-01-01T00:17:59Z"}"#
    let rig = Rig(
      source: ScriptedSource([
        .page(page(["a"], "10"), date: 1000), .page(page([], "10"), date: 1001),
        .server, .failure(FeedFailure(.unreachable, "silence")),
        .page(page(["b"], "20"), date: 1070),
        // Time passes while it is waited to try again.
        .failure(FeedFailure(.unreachable, "silence", retryAfter: .seconds(5))),
        .page(page([], "20"), date: 1080),
        .page(#"{"entries":[{"event_id":"a"},\#(late)],"next_stream_position":15}"#, date: 1080),
        .page(#"{"entries":[{"event_id":"b"},\#(fresh)],"next_stream_position":20}"#, date: 1080),
        .page(page(["b", "fresh"], "30"), date: 1081),
      ]), store: MemoryStore(try mark("5", confirmed: 900)))
    try await rig.run { $0.overlapCheck = .milliseconds(1) }
    let lines = await rig.store.lines
    #expect(lines.contains(late))
    #expect(lines.contains(fresh))
    #expect(lines.count == 4)
    let snapshot = rig.telemetry.snapshot(at: rig.clock.now)
    #expect(snapshot.lateTotal == 1)
    #expect(snapshot.overlapChecksTotal == 1)
  }

  @Test func goesOnFromTheSavedPosition() async throws {
    let rig = Rig(
      source: ScriptedSource([.page(page([], "77"))]), store: MemoryStore(try mark("77", confirmed: 5)))
    try await rig.run(start: .oldest)
    #expect(rig.source.calls.first == .read("77", limit: 500))
    #expect(await rig.store.marks.isEmpty)
  }

  @Test func anOddEntryCostsNothingElse() async throws {
    let rig = Rig(
      source: ScriptedSource([
        .page(#"{"entries":[{"event_id":"a"},null,NaN,{"event_id":"b"}],"next_stream_position":"8"}"#),
        .page(#"{"entries":[null,{"event_id":"b"}],"next_stream_position":"8"}"#), .server,
      ]), store: MemoryStore(try mark("7")))
    try await rig.run()
    #expect(await rig.store.lines.count == 2)
    #expect(await rig.store.quarantined == 2)
    #expect(rig.source.calls.last == .poll("8"))
  }

  @Test func anUnreadablePageIsAskedForSmaller() async throws {
    let rig = Rig(
      source: ScriptedSource([
        .page(#"{"entries":[{"event_id":"a"},{"x":"y"z"}],"next_stream_position":9}"#),
        .page(page(["a"], "8")), .page("<html>", date: 1), .page(page([], "8")), .server,
      ]), store: MemoryStore(try mark("7")))
    try await rig.run()
    #expect(
      rig.source.calls == [
        .read("7", limit: 500), .read("7", limit: 50), .read("8", limit: 500), .read("8", limit: 500),
        .subscribe,
        .poll("8"),
      ])
  }

  @Test func failuresAreWaitedOutAndLoseNothing() async throws {
    let rig = Rig(
      source: ScriptedSource([
        .failure(FeedFailure(.unreachable, "reset")),
        .failure(FeedFailure(.throttled, "429", retryAfter: .seconds(77))),
        .page(page(["a"], "8")), .page(page([], "8")),
        .failure(FeedFailure(.serverError, "no OPTIONS")), .server,
        .failure(FeedFailure(.unreachable, "reset")), .page(page(["b"], "9")), .page(page([], "9")), .server,
      ]), store: MemoryStore(try mark("7")))
    try await rig.run()
    #expect(await rig.store.lines.count == 2)
    #expect(rig.clock.waits.contains(.seconds(77)))
    #expect(rig.source.calls.last == .poll("9"))
  }

  @Test func aFullDiskPausesAndGoesOn() async throws {
    let rig = Rig(
      source: ScriptedSource([.page(page(["a"], "8")), .page(page([], "8"))]),
      store: MemoryStore(try mark("7")))
    await rig.store.setFull(commits: 3, looks: 2)
    try await rig.run()
    #expect(await rig.store.lines == [#"{"event_id":"a"}"#])
    #expect(rig.clock.waits == Array(repeating: .seconds(2), count: 5))
  }

  @Test func aFailedSyncEndsTheStream() async throws {
    let rig = Rig(source: ScriptedSource([.page(page(["a"], "8"))]), store: MemoryStore(try mark("7")))
    await rig.store.failCommits(with: StoreFailure(.io, "sync failed", errno: 5))
    let driver = FeedDriver(
      source: rig.source, store: rig.store, clock: rig.clock, rules: FeedRules(type: .all), start: .now,
      seed: 1,
      report: FeedReport(
        telemetry: rig.telemetry,
        journal: StreamJournal(
          logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, stream: "default"),
        retention: .seconds(1)))
    await #expect(throws: StoreFailure.self) { try await driver.run() }
    #expect(await rig.store.marks.isEmpty)
  }

  @Test func aLongAbsenceIsAGap() async throws {
    let rig = Rig(
      source: ScriptedSource([
        .page(page(["a"], "900"), date: 22 * 86_400), .page(page([], "900"), date: 22 * 86_400),
      ]), store: MemoryStore(try mark("7", confirmed: 0)))
    try await rig.run()
    #expect(await rig.store.gaps.map(\.cause) == [.retention])
    #expect(await rig.store.lines.count == 1)
    #expect(rig.telemetry.snapshot(at: rig.clock.now).gapsTotal == 1)
  }

  @Test(arguments: [
    ("2026-11-23T10:00:00-08:00", 1_795_456_800.0), ("1970-01-01T00:00:00Z", 0),
    ("2024-02-29T23:59:59.123+01:30", 1_709_245_799),
  ])
  func readsEventTimes(text: String, seconds: Double) {
    #expect(EventTime.secondsSince1970(Array(text.utf8)) == seconds)
  }

  @Test(arguments: [
    "", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T10:00:00", "2026-11-23T10:00:00+8",
    "x026-11-23T10:00:00Z",
  ])
  func refusesOtherTimes(text: String) {
    #expect(EventTime.secondsSince1970(Array(text.utf8)) == nil)
  }
}
