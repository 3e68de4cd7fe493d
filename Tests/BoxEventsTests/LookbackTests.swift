import Testing

@testable import BoxEvents

/// Lookbacks as straight lines: one every 100 s, over what came in the last 200.
struct LookbackTests {
  private static let server = RealtimeServer(url: Secret("https://x.box.com/s?channel=c"))

  private func at(_ seconds: Int) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }

  private func position(_ digits: String) -> ReadPosition { ReadPosition(digits) ?? .now }

  /// - Parameter second: of the machine's clock, where it matters: Box's goes with it.
  private func page(
    new: Int = 0, of entries: Int? = nil, _ next: String, at second: Int = 0
  ) -> PageOutcome {
    PageOutcome(
      new: new, entries: entries ?? new, next, date: BoxTime(secondsSince1970: 1_000 + Int64(second)))
  }

  private func read(_ digits: String) -> FeedAction { .read(ReadRequest(position: position(digits))) }

  /// Resumed at 100, read on to 300 at second 50, and caught up there.
  private func polling(_ change: (inout FeedRules) -> Void = { _ in }) -> FeedStateMachine {
    var rules = FeedRules(type: .all)
    rules.lookbackInterval = .seconds(100)
    change(&rules)
    var machine = FeedStateMachine(testing: rules, at: at(0), seed: 1)
    _ = machine.start(from: position("100"), saved: Checkpoint(position: position("100")), at: at(0))
    _ = machine.pageRead(page(new: 4, "200"), at: at(0))
    _ = machine.stored(at: at(0))
    _ = machine.pageRead(page("200"), at: at(1))
    _ = machine.subscribed(Self.server, at: at(1))
    _ = machine.replied(.outOfDate, at: at(50))
    _ = machine.pageRead(page(new: 4, "300"), at: at(50))
    _ = machine.stored(at: at(50))
    _ = machine.pageRead(page("300"), at: at(51))
    return machine
  }

  /// Whether the stream waits for Box again.
  private func isPoll(_ action: FeedAction) -> Bool {
    switch action {
    case .poll, .subscribe: true
    case .read, .begin, .commit, .save, .record, .wait: false
    }
  }

  /// The action after the waits that space reads.
  private func waited(_ action: FeedAction, _ machine: inout FeedStateMachine) -> FeedAction {
    var action = action
    while case .wait(let until) = action { action = machine.woke(at: until) }
    return action
  }

  /// The poll is answered, and the stream is caught up.
  private func caughtUp(_ machine: inout FeedStateMachine, at second: Int) -> FeedAction {
    // After ten minutes the server is used up.
    if machine.action == .subscribe { _ = machine.subscribed(Self.server, at: at(second)) }
    _ = machine.replied(.outOfDate, at: at(second))
    let action = machine.pageRead(page("300", at: second >= 600 ? second : 0), at: at(second))
    // After an hour the position is saved.
    guard case .save = action else { return action }
    return machine.stored(at: at(second))
  }

  /// At a server whose positions pass with the time a lookback would never end.
  @Test(arguments: [0, 3]) func endsThoughEveryPageLeadsOn(entries: Int) {
    var machine = polling()
    var action = caughtUp(&machine, at: 120)
    var reads = 0
    while case .read = action, reads < 10_000 {
      reads += 1
      action = machine.pageRead(page(of: entries, "\(200 + reads * 7)"), at: at(120))
    }
    #expect(isPoll(action))
    #expect(reads == (entries == 0 ? 1 : FeedRules(type: .all).lookbackPages))
  }

  @Test func readsTheStretchAgainAndGoesOn() {
    var machine = polling()
    #expect(machine.lookbackCaughtUpAt == nil)
    #expect(caughtUp(&machine, at: 120) == read("100"))
    #expect(machine.lookbackCaughtUpAt == BoxTime(secondsSince1970: 1_000))
    #expect(machine.pageRead(page(of: 4, "200"), at: at(120)) == read("200"))
    #expect(isPoll(machine.pageRead(page(of: 4, "300"), at: at(120))))
    #expect(machine.currentPosition == position("300"))
    #expect(machine.completedLookbacks == 1)
    #expect(machine.lookbackCaughtUpAt == nil)
  }

  @Test func waitsUntilItIsDue() {
    var machine = polling()
    #expect(isPoll(caughtUp(&machine, at: 99)))
    var without = polling { $0.lookbackInterval = nil }
    #expect(isPoll(caughtUp(&without, at: 5000)))
    #expect(without.completedLookbacks == 0)
  }

  /// Late events are stored, and the position stays where it was.
  @Test func storesLateEvents() {
    var machine = polling()
    #expect(caughtUp(&machine, at: 120) == read("100"))
    let checkpoint = Checkpoint(position: position("300"), confirmedAt: BoxTime(secondsSince1970: 1_000))
    #expect(machine.pageRead(page(new: 1, of: 5, "200"), at: at(120)) == .commit(.sample(), at: checkpoint))
    #expect(machine.stored(at: at(120)) == read("200"))
    // After its end the stream is read on, past events that have only just happened.
    #expect(machine.pageRead(page(new: 1, of: 5, "300"), at: at(120)) == .commit(.sample(), at: checkpoint))
    #expect(waited(machine.stored(at: at(120)), &machine) == read("300"))
    #expect(machine.currentPosition == position("300"))
    #expect(machine.completedLookbacks == 1)
  }

  /// From where the stream was two intervals ago.
  @Test func readsTwoIntervalsAgain() {
    var machine = polling()
    #expect(caughtUp(&machine, at: 249) == read("100"))
    _ = machine.pageRead(page(of: 8, "300"), at: at(249))
    _ = machine.replied(.outOfDate, at: at(300))
    _ = machine.pageRead(page(new: 1, "400"), at: at(300))
    _ = machine.stored(at: at(300))
    // At 350, 150 was the beginning; the position in force then was 300.
    #expect(machine.pageRead(page("400"), at: at(350)) == read("300"))
  }

  @Test func skipsAQuietStream() {
    var machine = polling()
    #expect(isPoll(caughtUp(&machine, at: 2_000)))
    #expect(isPoll(caughtUp(&machine, at: 4_000)))
    #expect(machine.completedLookbacks == 0)
  }

  /// Too many events in the stretch: only as many are read again as are certainly known.
  @Test func neverGoesBackTooFar() {
    var machine = polling()
    _ = machine.replied(.outOfDate, at: at(60))
    _ = machine.pageRead(page(new: 2_600, "9000"), at: at(60))
    _ = machine.stored(at: at(60))
    #expect(isPoll(machine.pageRead(page("9000"), at: at(120))))
  }

  @Test(arguments: [(1_000, "200"), (1_001, "300")]) func endsWhenItFindsTooMuch(_ found: Int, _ next: String)
  {
    var machine = polling()
    #expect(caughtUp(&machine, at: 120) == read("100"))
    _ = machine.pageRead(page(new: found, "200"), at: at(120))
    #expect(waited(machine.stored(at: at(120)), &machine) == read(next))
  }

  /// An answer that leads back ends it too, as would an empty one.
  @Test(arguments: ["100", "0"]) func endsWhereItLeadsBack(_ next: String) {
    var machine = polling()
    #expect(caughtUp(&machine, at: 120) == read("100"))
    #expect(isPoll(machine.pageRead(page(of: next == "0" ? 0 : 500, next), at: at(120))))
    #expect(machine.condition == .polling)
  }

  @Test func aPageWithoutAPositionEndsOnlyTheLookback() {
    var machine = polling()
    #expect(caughtUp(&machine, at: 120) == read("100"))
    let action = machine.pageRead(page(of: 4, "none"), at: at(120))
    #expect(machine.condition == .waiting(nil))
    #expect(waited(action, &machine) == read("300"))
    #expect(machine.completedLookbacks == 0)
  }

  @Test(arguments: [FeedFailure.Code.refused, .malformedPage, .tooLarge, .throttled, .unauthorized])
  func failureEndsOnlyTheLookback(_ code: FeedFailure.Code) {
    var machine = polling()
    #expect(caughtUp(&machine, at: 120) == read("100"))
    let action = machine.readFailed(FeedFailure(code, "no"), at: at(120))
    #expect(machine.condition == .waiting(nil))
    #expect(waited(action, &machine) == read("300"))
    #expect(isPoll(machine.pageRead(page("300"), at: at(130))))
    #expect(machine.completedLookbacks == 0)
    // The next one tries again.
    #expect(caughtUp(&machine, at: 240) == read("100"))
  }
}
