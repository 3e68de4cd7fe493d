import Spool
import Synchronization

/// Both clocks, moved by hand.
final class TestClock: Sendable {
  private let seconds = Atomic<Int64>(1_800_000_000)

  func advance(_ by: Int64) { seconds.wrappingAdd(by, ordering: .relaxed) }

  var clock: SpoolClock {
    SpoolClock(
      wallSeconds: { self.seconds.load(ordering: .relaxed) },
      monotonic: { .seconds(self.seconds.load(ordering: .relaxed) - 1_700_000_000) })
  }
}
