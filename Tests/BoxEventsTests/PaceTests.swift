import Testing

@testable import BoxEvents

@Suite struct PaceTests {
  private func at(_ seconds: Double) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }

  /// Takes a turn if there is one.
  private func take(_ pace: inout Pace, at now: FeedInstant) -> Bool {
    if let next = pace.next, now < next { return false }
    pace.spend(at: now)
    return true
  }

  /// How many turns there are at once, and how many in the first minute of one who takes every turn.
  @Test(arguments: [
    (0, 1, 1), (1, 1, 1), (2, 1, 2), (9, 1, 9), (10, 2, 10), (60, 7, 60), (1_000, 101, 1_000),
    (60_000, 6_001, 60_000),
  ])
  func aTenthAtOnceAndTheOthersEvenly(perMinute: Int, atOnce: Int, inAMinute: Int) {
    var pace = Pace(perMinute: perMinute)
    #expect(pace.next == nil && pace.wait(ahead: 0, at: at(5)) == .zero)
    var turns = 0
    while take(&pace, at: at(5)) { turns += 1 }
    #expect(turns == atOnce)
    while let next = pace.next, next < at(65) {
      #expect(take(&pace, at: next))
      turns += 1
    }
    #expect(turns == inAMinute)
  }

  @Test func howLongToWait() {
    var pace = Pace(interval: .seconds(10), reserve: 1)
    pace.spend(at: at(100))
    #expect(pace.wait(ahead: 0, at: at(100)) == .zero)
    #expect(pace.wait(ahead: 3, at: at(100)) == .seconds(30))
    pace.spend(at: at(100))
    #expect(pace.next == at(110))
    #expect(pace.wait(ahead: 0, at: at(104)) == .seconds(6))
    #expect(pace.wait(ahead: 2, at: at(104)) == .seconds(26))
    // A bucket that is full doesn't get fuller.
    pace.spend(at: at(1_000_000))
    pace.spend(at: at(1_000_000))
    #expect(pace.next == at(1_000_010))
  }

  /// Whoever comes when, no minute has more turns than it may, and none is refused that a minute has left for good.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func noMinuteHasMore(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let perMinute = Int.random(in: 1...100, using: &random)
    var pace = Pace(perMinute: perMinute)
    var now = Duration.seconds(1)
    var taken: [Duration] = []
    var mistakes = 0
    for _ in 0..<5_000 {
      let longest = [0, 10, 700, 20_000].randomElement(using: &random) ?? 0
      now += .milliseconds(Int.random(in: 0...longest, using: &random))
      let wait = pace.wait(ahead: 0, at: FeedInstant(sinceOrigin: now))
      let mayRun = take(&pace, at: FeedInstant(sinceOrigin: now))
      if mayRun != (wait == .zero) || wait > .seconds(60) { mistakes += 1 }
      if mayRun { taken.append(now) }
    }
    for (index, first) in taken.enumerated() where index + perMinute < taken.count {
      if taken[index + perMinute] < first + .seconds(60) { mistakes += 1 }
    }
    #expect(mistakes == 0, "seed \(seed), \(perMinute) a minute")
  }
}
