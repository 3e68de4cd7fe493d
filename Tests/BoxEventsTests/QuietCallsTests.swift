import Testing

@testable import BoxEvents

/// The estimate of what a quiet stream costs, compared with the machine itself.
@Suite struct QuietCallsTests {
  private let day = Duration.seconds(86_400)

  /// The calls that a stream makes from its start on, while nothing happens and every call takes no time.
  /// - Parameter end: how a poll ends after `retry_timeout`; nil where its connection is closed.
  private func simulate(
    _ rules: FeedRules, _ server: RealtimeServer, for span: Duration, end: RealtimeReply?
  ) -> CallCounts {
    let start = FeedInstant(sinceOrigin: .seconds(7))
    var now = start
    var machine = FeedStateMachine(testing: rules, at: now, seed: 1)
    let position = FeedStateMachineTests.position("100")
    var counts = CallCounts()
    var action = machine.start(from: position, saved: Checkpoint(position: position), at: now)
    while now < start + span {
      switch action {
      case .read(let request):
        counts[.events, default: 0] += 1
        #expect(request.position == position)
        let date = BoxTime(secondsSince1970: now.sinceOrigin.components.seconds)
        action = machine.pageRead(PageOutcome(new: 0, entries: 0, "100", date: date), at: now)
      case .subscribe:
        counts[.options, default: 0] += 1
        action = machine.subscribed(server, at: now)
      case .poll(let server, _):
        now = now + server.retryTimeout
        var closed = FeedFailure(.unreachable, "closed")
        closed.interruption = .closed
        action = end.map { machine.replied($0, at: now) } ?? machine.pollFailed(closed, at: now)
      case .wait(let until):
        now = max(now, until)
        action = machine.woke(at: now)
      case .begin, .commit, .save, .record: action = machine.stored(at: now)
      }
    }
    return counts
  }

  private func expect(_ estimate: CallCounts, isNear counts: CallCounts) {
    for kind in CallKind.allCases {
      let (expected, found) = (Int(estimate[kind] ?? 0), Int(counts[kind] ?? 0))
      #expect(abs(expected - found) <= 2, "\(kind): estimated \(expected), simulated \(found)")
    }
  }

  private func server(minutes: Int, polls: Int, timeout: Int) -> RealtimeServer {
    RealtimeServer(
      url: FeedStateMachineTests.server.url, timeToLive: .seconds(60 * minutes), maximumPolls: polls,
      retryTimeout: .seconds(timeout))
  }

  /// Box's own numbers: every poll takes a new server, however it ends.
  @Test(arguments: [RealtimeReply.reconnect, .maxRetries, nil])
  func aUsersStream(end: RealtimeReply?) {
    let rules = FeedRules(type: .all)
    let estimate = rules.quietCalls(in: day)
    #expect(estimate == [.events: 142, .options: 142])
    expect(
      estimate, isNear: simulate(rules, server(minutes: 10, polls: 10, timeout: 610), for: day, end: end))
  }

  /// A server that may be polled more often, until its time or its polls are over.
  @Test(arguments: [(10, 10, 610), (60, 10, 610), (60, 3, 610), (10, 10, 60), (10, 10, 599), (10, 1, 100)])
  func whateverTheServersNumbers(minutes: Int, polls: Int, timeout: Int) {
    let server = server(minutes: minutes, polls: polls, timeout: timeout)
    let rules = FeedRules(type: .changes)
    expect(rules.quietCalls(in: day, server: server), isNear: simulate(rules, server, for: day, end: nil))
  }

  @Test(arguments: [30, 10, 3_600])
  func anEnterprisesStream(interval: Int) {
    var rules = FeedRules(type: .adminLogsStreaming)
    rules.interval = .seconds(interval)
    let estimate = rules.quietCalls(in: day)
    #expect(estimate == [.events: UInt64(86_400 / interval)])
    expect(estimate, isNear: simulate(rules, FeedStateMachineTests.server, for: day, end: nil))
  }

  @Test(arguments: [StreamType.all, .adminLogs])
  func lookbacksOfAQuietStreamCostNothing(type: StreamType) {
    var rules = FeedRules(type: type)
    let without = simulate(rules, FeedStateMachineTests.server, for: day, end: .reconnect)
    rules.lookbackInterval = .seconds(600)
    #expect(simulate(rules, FeedStateMachineTests.server, for: day, end: .reconnect) == without)
  }

  @Test func tokensAreRenewed() {
    #expect(FeedRules.tokenCalls(in: FeedRules.month, renewal: .seconds(3_300)) == [.token: 785])
    #expect(FeedRules.tokenCalls(in: day, renewal: .zero) == [.token: 0])
  }
}
