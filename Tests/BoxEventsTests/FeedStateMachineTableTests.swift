import Synchronization
import Testing

@testable import BoxEvents

/// The machine's every state against its every input, and long random walks.
@Suite struct FeedStateMachineTableTests {
  typealias State = FeedStateMachine.State

  enum Input: String, CaseIterable {
    case start, pageRead, readFailed, stored, diskFull, subscribed, subscribeFailed, replied, pollFailed
    case woke
  }

  static let now = FeedInstant(sinceOrigin: .seconds(1000))
  static let late = now + .seconds(1)
  static let server = RealtimeServer(url: Secret("https://127.0.0.1/?channel=c"))
  static let position = FeedStateMachineTests.position("100")
  static let checkpoint = Checkpoint(position: position)
  static let gap = Gap(cause: .retention, from: position, to: nil)
  static let outcome = PageOutcome(new: 1, entries: 1, "101")
  static let full = StoreFailure(.noSpace, "full")
  static let request = ReadRequest(position: position)

  /// Every state, and the inputs that belong to it. All others must be reported and change nothing.
  static let table: [(State, Set<Input>)] = [
    (.initial, [.start]),
    (.reading(request), [.pageRead, .readFailed, .diskFull]),
    (.beginning(checkpoint), [.stored, .diskFull]),
    (.recording(gap, outcome, request), [.stored, .diskFull]),
    (.committing(.sample(), checkpoint), [.stored, .diskFull]),
    (.saving(checkpoint), [.stored, .diskFull]),
    (.subscribing, [.subscribed, .subscribeFailed]),
    (.polling(server, since: now), [.replied, .pollFailed]),
    (.waiting(until: now, then: .read), [.woke]),
    (.waiting(until: now, then: .waitForChange), [.woke]),
    (.waiting(until: now, then: .retry(.committing(.sample(), checkpoint), full)), [.woke]),
    (.waiting(until: late, then: .read), []),
  ]

  static func machine(
    in state: State,
    onUnexpectedInput: @escaping @Sendable (UnexpectedInput) -> Void = { Issue.record("\($0)") }
  ) -> FeedStateMachine {
    var machine = FeedStateMachine(
      rules: FeedRules(type: .all), at: now, seed: 3, onUnexpectedInput: onUnexpectedInput)
    if state != .initial { _ = machine.start(from: position, saved: checkpoint, at: now) }
    machine.state = state
    return machine
  }

  static func apply(
    _ input: Input, to machine: inout FeedStateMachine, at now: FeedInstant = now
  ) -> FeedAction {
    let failure = FeedFailure(.unreachable, "reset")
    return switch input {
    case .start: machine.start(from: position, saved: checkpoint, at: now)
    case .pageRead: machine.pageRead(outcome, at: now)
    case .readFailed: machine.readFailed(failure, at: now)
    case .stored: machine.stored(at: now)
    case .diskFull: machine.diskFull(FeedStateMachineTableTests.full, at: now)
    case .subscribed: machine.subscribed(server, at: now)
    case .subscribeFailed: machine.subscribeFailed(failure, at: now)
    case .replied: machine.replied(.newChange, at: now)
    case .pollFailed: machine.pollFailed(failure, at: now)
    case .woke: machine.woke(at: now)
    }
  }

  @Test(arguments: Input.allCases)
  func everyStateReportsUnexpectedInputs(input: Input) {
    for (state, belonging) in Self.table {
      let unexpected = Mutex([UnexpectedInput]())
      var machine = Self.machine(in: state) { input in unexpected.withLock { $0.append(input) } }
      let before = machine.action
      let action = Self.apply(input, to: &machine)
      if belonging.contains(input) {
        #expect(machine.state != state, "\(input) in \(state)")
      } else {
        #expect(machine.state == state, "\(input) in \(state)")
        #expect(action == before, "\(input) in \(state)")
      }
      // A cancelled wait may end early.
      let isExpected = belonging.contains(input) || input == .woke && before == .wait(until: Self.late)
      let reported = isExpected ? [] : [UnexpectedInput(input: input.rawValue, awaited: before)]
      #expect(unexpected.withLock { $0 } == reported, "\(input) in \(state)")
      #expect(action == machine.action)
    }
  }

  @Test func waitsAfterEveryFailure() {
    for code in FeedFailure.Code.allCases {
      var machine = Self.machine(in: .reading(Self.request))
      let action = machine.readFailed(FeedFailure(code, "x"), at: Self.now)
      guard case .wait(let until) = action else {
        Issue.record("\(code): \(action)")
        continue
      }
      #expect(until > Self.now)
      #expect(machine.currentPosition == Self.position)
      machine = Self.machine(in: .subscribing)
      guard case .wait = machine.subscribeFailed(FeedFailure(code, "x"), at: Self.now) else {
        Issue.record("\(code)")
        continue
      }
      machine = Self.machine(in: .polling(Self.server, since: Self.now))
      guard case .read = machine.pollFailed(FeedFailure(code, "x"), at: Self.now) else {
        Issue.record("\(code)")
        continue
      }
    }
  }

  /// A million inputs in random order: the feed never spins, never stores a position that Box has not served,
  /// and is never without a deadline.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func randomWalksKeepTheRules(seed: UInt64) {
    var walk = RandomWalk(seed: seed)
    for _ in 0..<250_000 {
      if let broken = walk.step() {
        Issue.record("seed \(seed): \(broken)")
        return
      }
    }
    #expect(walk.reached.count == 8, "actions reached: \(walk.reached)")
  }
}

/// A driver whose results a seed decides, and which checks the machine's actions.
private struct RandomWalk {
  var machine = FeedStateMachine(testing: FeedRules(type: .all), at: FeedInstant(sinceOrigin: .zero), seed: 9)
  var action: FeedAction
  var now = FeedInstant(sinceOrigin: .zero)
  var random: SplitMix64
  /// Positions that Box has served with, and the store has been given.
  var served: Set<ReadPosition> = []
  var idleReads: [FeedInstant] = []
  var reached: Set<String> = []
  private var batches: [[Int]: EventBatch] = [:]

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    action = machine.start(from: .now, saved: nil, at: now)
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  private mutating func failure() -> FeedFailure {
    FeedFailure(
      FeedFailure.Code.allCases.randomElement(using: &random) ?? .unreachable, "x",
      retryAfter: chance(10) ? .seconds(30) : nil)
  }

  mutating func step() -> String? {
    now = now.advanced(by: .milliseconds(chance(50) ? 1 : Int.random(in: 0...2000, using: &random)))
    // Now and then the machine sleeps for hours or weeks: long enough for saves, and for gaps.
    if Int.random(in: 0..<1000, using: &random) == 0 {
      now = now.advanced(by: .seconds(Int.random(in: 3600...3_200_000, using: &random)))
    }
    if machine.deadline.sinceOrigin < .zero { return "a deadline in the past" }
    switch action {
    case .read(let request):
      reached.insert("read")
      if case .at = request.position, !served.contains(request.position) {
        return "read from \(request.position), which was never served"
      }
      if chance(5) {
        action = machine.diskFull(FeedStateMachineTableTests.full, at: now)
      } else if chance(10) {
        action = machine.readFailed(failure(), at: now)
      } else {
        return page(request)
      }
    case .begin(let checkpoint), .commit(_, let checkpoint), .save(let checkpoint):
      reached.insert("\(action)".prefix { $0 != "(" }.description)
      if checkpoint.position == .now || !served.contains(checkpoint.position) {
        return "\(checkpoint.position) was to be stored"
      }
      action =
        chance(5) ? machine.diskFull(FeedStateMachineTableTests.full, at: now) : machine.stored(at: now)
    case .record:
      reached.insert("record")
      action = machine.stored(at: now)
    case .subscribe:
      reached.insert("subscribe")
      action =
        chance(30)
        ? machine.subscribeFailed(failure(), at: now)
        : machine.subscribed(FeedStateMachineTableTests.server, at: now)
    case .poll:
      reached.insert("poll")
      now = now.advanced(by: .seconds(chance(50) ? 0 : Int.random(in: 0...600, using: &random)))
      let replies: [RealtimeReply] = [.newChange, .reconnect, .maxRetries, .outOfDate, .unknown("x")]
      action =
        chance(20)
        ? machine.pollFailed(failure(), at: now)
        : machine.replied(replies.randomElement(using: &random) ?? .newChange, at: now)
    case .wait(let until):
      reached.insert("wait")
      if now.duration(to: until) > .seconds(3600) { return "a wait of more than an hour" }
      now = max(now, until)
      action = machine.woke(at: now)
    }
    return nil
  }

  private mutating func page(_ request: ReadRequest) -> String? {
    let new = chance(30) ? [1, 2, 7, 49, 50, 499, 500].randomElement(using: &random) ?? 1 : 0
    let entries = chance(30) ? request.limit : max(new, chance(50) ? 3 : 0)
    let next = chance(10) ? nil : StreamPosition("\(Int.random(in: 1...40, using: &random))")
    if let next { served.insert(.at(next)) }
    // Nine idle reads within a second would be a hot loop.
    if new == 0 {
      idleReads.append(now)
      if idleReads.count > 9, idleReads.removeFirst().duration(to: now) < .seconds(1) { return "a hot loop" }
    } else {
      idleReads = []
    }
    let boxTime = BoxTime(secondsSince1970: now.sinceOrigin.components.seconds)
    var date: BoxTime? = chance(50) ? boxTime : nil
    // Now and then a date is weeks off.
    if date != nil, chance(2) {
      date?.secondsSince1970 += Int64.random(in: -4_000_000...4_000_000, using: &random)
    }
    action = machine.pageRead(PageOutcome(batch(new: new, entries: entries, next), date: date), at: now)
    if case .record(let gap) = action, gap.until != boxTime { return "a gap up to a date that is weeks off" }
    return nil
  }

  /// Batches are kept, since making one takes longer than a step.
  private mutating func batch(new: Int, entries: Int, _ next: StreamPosition?) -> EventBatch {
    let key = [new, entries, next.flatMap { Int($0.digits) } ?? 0]
    let batch = batches[key] ?? .sample(new: new, entries: entries, next?.digits)
    batches[key] = batch
    return batch
  }
}
