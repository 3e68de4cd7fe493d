/// Random numbers from a seed: the same seed, the same waits. SplitMix64 (Steele, Lea and Flood 2014).
public struct Jitter: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A duration between the two, to the millisecond.
  mutating func duration(in range: ClosedRange<Duration>) -> Duration {
    let milliseconds = { (duration: Duration) in
      duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
    let (low, high) = (milliseconds(range.lowerBound), milliseconds(range.upperBound))
    return .milliseconds(Int64.random(in: low...max(low, high), using: &self))
  }
}
