import Testing

@testable import Systemd

struct MonotonicClockTests {
  @Test func neverGoesBack() {
    let first = MonotonicClock.now
    #expect(first <= MonotonicClock().now)
    #expect(first.sinceBoot > .zero)
  }

  @Test func sleepsAtLeastAsLongAsAsked() async throws {
    let clock = MonotonicClock()
    let deadline = clock.now.advanced(by: .milliseconds(5))
    try await clock.sleep(until: deadline)
    #expect(clock.now >= deadline)
  }

  @Test func clampsDurationsToMicroseconds() {
    #expect(Duration.nanoseconds(1999).clampedMicroseconds == 1)
    #expect(Duration.seconds(-2).clampedMicroseconds == -2_000_000)
    #expect(Duration.seconds(Int64.max).clampedMicroseconds == .max)
    #expect(Duration.seconds(Int64.min).clampedMicroseconds == .min)
  }
}
