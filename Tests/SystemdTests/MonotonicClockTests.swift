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

  @Test func durationsBecomeWholeMicroseconds() {
    #expect(Duration.nanoseconds(1999).wholeMicroseconds == 1)
    #expect(Duration.seconds(-2).wholeMicroseconds == -2_000_000)
    #expect(Duration.seconds(Int64.max).wholeMicroseconds == .max)
    #expect(Duration.seconds(Int64.min).wholeMicroseconds == .min)
  }
}
