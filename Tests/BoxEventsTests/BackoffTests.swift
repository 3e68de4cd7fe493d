import Testing

@testable import BoxEvents

@Suite struct BackoffTests {
  private func waits(_ backoff: inout Backoff, _ count: Int, seed: UInt64) -> [Duration] {
    var jitter = Jitter(seed: seed)
    return (0..<count).map { _ in backoff.next(&jitter) }
  }

  /// The longest of many first, second, third… waits.
  private func ceilings(_ count: Int, base: Duration, cap: Duration) -> [Duration] {
    var longest = [Duration](repeating: .zero, count: count)
    for seed in 0..<500 as Range<UInt64> {
      var backoff = Backoff(base: base, cap: cap)
      for (index, wait) in waits(&backoff, count, seed: seed).enumerated() {
        longest[index] = max(longest[index], wait)
      }
    }
    return longest
  }

  @Test func ceilingDoublesUpToTheCap() {
    let longest = ceilings(8, base: .seconds(1), cap: .seconds(30))
    for (index, ceiling) in [1, 2, 4, 8, 16, 30, 30, 30].enumerated() {
      #expect(longest[index] <= .seconds(ceiling))
      #expect(longest[index] > .seconds(Double(ceiling) * 0.9))
    }
  }

  @Test func noWaitIsShorterThanTheFloor() {
    for seed in 0..<500 as Range<UInt64> {
      var backoff = Backoff(base: .milliseconds(200), cap: .seconds(1))
      #expect(waits(&backoff, 4, seed: seed).allSatisfy { $0 >= Backoff.floor })
    }
  }

  @Test func spreadsWaitsFromFloorToCeiling() {
    var shortest = Duration.seconds(1000)
    for seed in 0..<500 as Range<UInt64> {
      var backoff = Backoff(base: .seconds(64), cap: .seconds(64))
      shortest = min(shortest, waits(&backoff, 1, seed: seed)[0])
    }
    #expect(shortest < .seconds(2))
  }

  @Test func staysAtTheCap() {
    var backoff = Backoff(base: .seconds(1), cap: .seconds(300))
    #expect(waits(&backoff, 5000, seed: 3).allSatisfy { $0 <= .seconds(300) })
    #expect(backoff.failures == 5000)
  }

  @Test func successResetsTheCeiling() {
    var backoff = Backoff(base: .seconds(1), cap: .seconds(300))
    _ = waits(&backoff, 10, seed: 1)
    backoff.reset()
    #expect(backoff.failures == 0)
    for seed in 0..<50 as Range<UInt64> {
      var again = backoff
      #expect(waits(&again, 1, seed: seed)[0] <= .seconds(1))
    }
  }

  @Test func waitsAtLeastAsLongAsTheServerAsks() {
    var backoff = Backoff(base: .seconds(1), cap: .seconds(300))
    var jitter = Jitter(seed: 1)
    #expect(backoff.next(&jitter, retryAfter: .seconds(3600)) == .seconds(3600))
    for _ in 0..<20 { _ = backoff.next(&jitter) }
    let waits = (0..<50).map { _ in backoff.next(&jitter, retryAfter: .seconds(5)) }
    #expect(waits.allSatisfy { $0 >= .seconds(5) && $0 <= .seconds(300) })
    #expect(waits.contains { $0 > .seconds(60) })
  }

  @Test func seedRepeatsTheWaits() {
    var (left, right, other) = (Backoff(), Backoff(), Backoff())
    let first = waits(&left, 20, seed: 9)
    #expect(first == waits(&right, 20, seed: 9))
    #expect(first != waits(&other, 20, seed: 10))
  }
}
