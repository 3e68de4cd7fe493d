import BoxEvents

/// The decisions of a simulation: drawn by a seed, or every one of them in turn.
///
/// In turn it is a counter whose digits have the bases that the simulation asks for: run the simulation,
/// call ``advance()``, run it again from the same point, until everything has been chosen.
package struct Choices: Sendable {
  private var random: SplitMix64
  private let isExhaustive: Bool
  /// What was chosen so far in this round, and out of how many.
  private var taken: [(choice: Int, count: Int)] = []
  private var next = 0

  /// Random decisions.
  package init(seed: UInt64) {
    random = SplitMix64(seed: seed &* 0xD129_0F3A_0C96_37A5 &+ 0x632B_E59B_D9B4_E019)
    isExhaustive = false
  }

  /// Every decision in turn.
  package static let exhaustive = Choices()

  private init() {
    random = SplitMix64(seed: 0)
    isExhaustive = true
  }

  /// A number from 0 to one below `count`.
  package mutating func pick(_ count: Int) -> Int {
    guard count > 1 else { return 0 }
    guard isExhaustive else { return Int(truncatingIfNeeded: random.next() >> 1) % count }
    if next == taken.count { taken.append((0, count)) }
    defer { next += 1 }
    return taken[next].choice
  }

  /// A number of the range, its ends included.
  package mutating func number(_ low: Int, _ high: Int) -> Int { low + pick(max(1, high - low + 1)) }

  /// True about `percent` times in a hundred.
  package mutating func chance(_ percent: Int) -> Bool { pick(100) < percent }

  /// A place to cut `count` bytes in two, both parts non-empty where possible: any; or, in turn, after the
  /// first byte, in the middle and before the last.
  package mutating func split(_ count: Int) -> Int {
    guard count > 1 else { return 0 }
    guard isExhaustive else { return number(1, count - 1) }
    let places = [1, count / 2, count - 1]
    return places[pick(3)]
  }

  /// Goes to the next round of decisions; false when every one has been.
  package mutating func advance() -> Bool {
    next = 0
    while let last = taken.popLast() {
      if last.choice + 1 < last.count {
        taken.append((last.choice + 1, last.count))
        return true
      }
    }
    return false
  }
}
