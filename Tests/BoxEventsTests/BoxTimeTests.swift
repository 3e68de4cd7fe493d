import Testing

@testable import BoxEvents

@Suite struct BoxTimeTests {
  private func time(_ seconds: Int64) -> BoxTime { BoxTime(secondsSince1970: seconds) }

  @Test func countsSecondsBetweenTwo() {
    #expect(time(100).since(time(40)) == .seconds(60))
    #expect(time(40).since(time(100)) == .seconds(-60))
    #expect(time(40) < time(41))
  }

  @Test func overflowSaturatesWithItsSign() {
    #expect(time(.max).since(time(-1)) > .seconds(1 << 60))
    #expect(time(.min).since(time(1)) < .seconds(-(1 << 60)))
    #expect(time(-2).since(time(.max)) < .seconds(-(1 << 60)))
    #expect(time(0).since(time(.min)) > .seconds(1 << 60))
  }
}
