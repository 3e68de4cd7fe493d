import BoxEvents
import Testing

@testable import BoxClient

@Suite struct RetryAfterTests {
  let now = BoxTime(secondsSince1970: 784_111_777)

  @Test func readsSecondsAndDates() {
    #expect(RetryAfter.parse("120", now: now) == .seconds(120))
    #expect(RetryAfter.parse(" 7 ", now: now) == nil)
    #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:50:37 GMT", now: now) == .seconds(60))
    #expect(RetryAfter.parse("Sunday, 06-Nov-94 08:49:47 GMT", now: now) == .seconds(10))
    #expect(RetryAfter.parse("Sun Nov  6 08:49:38 1994", now: now) == .seconds(1))
  }

  @Test func isBoundedToAnHour() {
    #expect(RetryAfter.parse("3601", now: now) == .seconds(3600))
    #expect(RetryAfter.parse("99999999999999999999999", now: now) == .seconds(3600))
    #expect(RetryAfter.parse("Sun, 06 Nov 2094 08:49:37 GMT", now: now) == .seconds(3600))
  }

  @Test(arguments: ["", "0", "-5", "1.5", "soon", "1e3", "Sun, 06 Nov 1993 08:49:37 GMT", "0x10"])
  func ignoresWhatSaysNothing(_ text: String) {
    #expect(RetryAfter.parse(text, now: now) == nil)
  }
}
