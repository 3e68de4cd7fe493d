/// A small random generator whose seed reproduces everything drawn from it.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  /// A generator of its own for each name, so that one feed's draws don't depend on another's.
  init(seed: UInt64, name: String) {
    // FNV-1a: Swift's own hash differs from run to run.
    let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    self.init(seed: seed ^ hash)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// True in `percent` of 100 draws. Nothing is drawn for 0, so that a rate of 0 changes no sequence.
  mutating func chance(percent: Double) -> Bool {
    guard percent > 0 else { return false }
    return Double.random(in: 0..<100, using: &self) < percent
  }
}
