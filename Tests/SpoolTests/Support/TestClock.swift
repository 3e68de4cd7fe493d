import Spool
import Synchronization

/// Both clocks, moved by hand.
final class TestClock: Sendable {
  private let seconds = Atomic<Int64>(1_800_000_000)
  /// How far local time is off.
  private let error = Atomic<Int64>(0)

  func advance(_ by: Int64) { seconds.wrappingAdd(by, ordering: .relaxed) }

  /// Sets local time, as a clock that is wrong at the machine's start.
  func jump(_ by: Int64) { error.wrappingAdd(by, ordering: .relaxed) }

  var clock: SpoolClock {
    SpoolClock(
      wallSeconds: { self.seconds.load(ordering: .relaxed) + self.error.load(ordering: .relaxed) },
      monotonic: { .seconds(self.seconds.load(ordering: .relaxed) - 1_700_000_000) })
  }
}
