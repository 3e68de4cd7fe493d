/// Random waits from a seed: the same seed, the same waits.
package struct Jitter: Sendable {
  private var random: SplitMix64

  package init(seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  /// A duration between the two, to the millisecond.
  mutating func duration(in range: ClosedRange<Duration>) -> Duration {
    let milliseconds = { (duration: Duration) in
      duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
    let (low, high) = (milliseconds(range.lowerBound), milliseconds(range.upperBound))
    return .milliseconds(Int64.random(in: low...max(low, high), using: &random))
  }
}
