import Testing

@testable import EventDaemon

@Suite struct MetricTextTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1_000, "1 000"), (1_204_331, "1 204 331"),
    (UInt64.max, "18 446 744 073 709 551 615"),
  ])
  func digitsStandInThrees(number: UInt64, text: String) {
    #expect(MetricText.count(number) == text)
  }

  @Test(
    arguments: [
      (-5, "0 s"), (0.9, "0 s"), (12.5, "12 s"), (59.9, "59 s"), (60, "1 min"), (3_599, "59 min"),
      (3_600, "1 h"), (7_500, "2 h 5 min"), (86_400, "1 d"), (20 * 86_400 + 7, "20 d"), (.nan, "0 s"),
      (.infinity, "0 s"), (1e300, "11574074 d"),
    ] as [(Double, String)])
  func spans(seconds: Double, text: String) {
    #expect(MetricText.span(seconds) == text)
  }
}
