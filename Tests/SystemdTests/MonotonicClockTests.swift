import Testing

@testable import Systemd

struct MonotonicClockTests {
  @Test func neverGoesBack() {
    let first = MonotonicClock.now
    #expect(first <= MonotonicClock.now)
    #expect(first > .zero)
  }

  /// The daemon reads this clock and sleeps by the runtime's.
  @Test func theRuntimeSleepsAtLeastAsLongByIt() async throws {
    let deadline = MonotonicClock.now + .milliseconds(5)
    try await Task.sleep(for: .milliseconds(5), clock: SuspendingClock())
    #expect(MonotonicClock.now >= deadline)
  }

  @Test func clampsDurationsToMicroseconds() {
    #expect(Duration.nanoseconds(1999).clampedMicroseconds == 1)
    #expect(Duration.seconds(-2).clampedMicroseconds == -2_000_000)
    #expect(Duration.seconds(Int64.max).clampedMicroseconds == .max)
    #expect(Duration.seconds(Int64.min).clampedMicroseconds == .min)
  }
}
