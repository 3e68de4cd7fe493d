import Testing

@testable import EventDaemon

@Suite struct UTCTimeTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
      (951_868_800, "2000-03-01T00:00:00Z"),
      (1_772_348_709, "2026-03-01T07:05:09Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
      (4_107_542_399, "2100-02-28T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"),
      (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
    ] as [(Double, String)])
  func bothWays(seconds: Double, text: String) {
    #expect(UTCTime.text(seconds) == text)
    #expect(UTCTime.seconds(text) == seconds)
  }

  @Test func everyDayOfFourCenturies() {
    for day in stride(from: 0.0, to: 400 * 365.2425, by: 1) {
      let text = UTCTime.text(day * 86_400 + 43_200)
      #expect(text.flatMap(UTCTime.seconds) == day * 86_400 + 43_200)
    }
  }

  @Test func fractionsAreDropped() {
    #expect(UTCTime.text(0.999) == "1970-01-01T00:00:00Z")
    #expect(UTCTime.text(-0.001) == "1969-12-31T23:59:59Z")
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -1e300, 253_402_300_800])
  func whatIsNoTime(seconds: Double) {
    #expect(UTCTime.text(seconds) == nil)
  }

  @Test(arguments: ["", "now", "2026-03-01", "2026-03-01T07:05:09+", "aaaa-bb-ccTdd:ee:ffZ"])
  func whatIsNoText(text: String) {
    #expect(UTCTime.seconds(text) == nil)
  }
}
