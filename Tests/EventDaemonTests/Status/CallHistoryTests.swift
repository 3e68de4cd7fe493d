import BoxEvents
import Testing

@testable import BoxClient
@testable import EventDaemon

@Suite struct CallHistoryTests {
  private let start = FeedInstant(sinceOrigin: .seconds(1_000))

  private func at(_ seconds: Int64) -> FeedInstant { start + .seconds(seconds) }

  @Test func beforeAFullHour() {
    var history = CallHistory(start: start)
    #expect(history.usage(at: at(0)) == CallUsage())
    #expect(history.usage(at: at(0)).monthProjection == 0)
    history.record(.token, at: at(0))
    // A shorter time counts as a minute.
    #expect(history.usage(at: at(1)).monthProjection == 43_200)
    history.record(.events, at: at(100))
    history.record(.events, at: at(119))
    let usage = history.usage(at: at(180), limit: 5, waiting: 7)
    #expect(
      usage == CallUsage(counts: [.token: 1, .events: 2], span: .seconds(180), limit: 5, waiting: 7))
    #expect(usage.monthProjection == 43_200)
    #expect(!history.usage(at: at(3_599)).isFullHour)
  }

  @Test func forgetsWhatIsOlderThanAnHour() {
    var history = CallHistory(start: start)
    history.record(.options, at: at(0))
    history.record(.events, at: at(60))
    let full = history.usage(at: at(3_600))
    #expect(full.counts == [.events: 1])
    #expect(full.isFullHour && full.span == .seconds(3_540))
    #expect(history.usage(at: at(3_659)).span == .seconds(3_599))
    #expect(history.usage(at: at(3_660)).counts == [:])
    // What is asked for changes nothing, nor does a clock that stands still.
    #expect(history.usage(at: at(60)).counts == [.events: 1, .options: 1])
    history.record(.user, at: at(1_000_000))
    history.record(.user, at: at(999_000))
    #expect(history.usage(at: at(1_000_000)).counts == [.user: 2])
  }

  /// The minute that runs and the 59 before, compared with a list of all calls.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func countsTheLastSixtyMinutes(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var history = CallHistory(start: start)
    var calls: [(kind: CallKind, minute: Int64)] = []
    var now: Int64 = 0
    for _ in 0..<500 {
      let longest = [0, 5, 90, 600, 10_000].randomElement(using: &random) ?? 0
      now += Int64.random(in: 0...Int64(longest), using: &random)
      let kind = CallKind.allCases.randomElement(using: &random) ?? .events
      history.record(kind, at: at(now))
      calls.append((kind, now / 60))
      now += Int64.random(in: 0...Int64(longest), using: &random)
      let counted = calls.filter { $0.minute > now / 60 - 60 }
      let expected = counted.reduce(into: CallCounts()) { $0[$1.kind, default: 0] += 1 }
      #expect(history.usage(at: at(now)).counts == expected, "seed \(seed)")
    }
  }

  /// Long polls don't count; whatever the answer of the others, they do.
  @Test func countsCallsThatHaveEnded() {
    let counter = CallCounter(start: start)
    for (endpoint, code) in [
      ("events", "200"), ("events", "unreachable"), ("options", "503"), ("poll", "200"), ("token", "400"),
      ("user", "403"),
    ] {
      counter.observe(.queued(rounds: 1, wait: .zero), at: at(0))
      counter.observe(.began, at: at(0))
      counter.observe(
        .ended(FinishedCall(endpoint: endpoint, code: code, duration: .zero)), at: at(0))
    }
    let usage = counter.usage(at: at(0), limit: nil, waiting: 0)
    #expect(usage.counts == [.events: 2, .options: 1, .token: 1, .user: 1])
    #expect(usage.counts.total == 5)
  }
}
