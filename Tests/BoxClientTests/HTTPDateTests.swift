import BoxEvents
import Testing

@testable import BoxClient

@Suite struct HTTPDateTests {
  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ])
  func readsAllThreeForms(_ text: String) {
    #expect(HTTPDate.parse(text) == BoxTime(secondsSince1970: 784_111_777))
  }

  @Test func knowsLeapYearsAndTheEpoch() {
    #expect(HTTPDate.parse("Thu, 01 Jan 1970 00:00:00 GMT")?.secondsSince1970 == 0)
    #expect(HTTPDate.parse("Thu, 29 Feb 2024 12:00:00 GMT")?.secondsSince1970 == 1_709_208_000)
    #expect(HTTPDate.parse("Fri, 01 Mar 2024 00:00:00 GMT")?.secondsSince1970 == 1_709_251_200)
    #expect(HTTPDate.parse("Tue, 31 Dec 2199 23:59:59 GMT")?.secondsSince1970 == 7_258_118_399)
  }

  @Test(arguments: [
    "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 31 Feb 2024 00:00:00 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    String(repeating: "9", count: 100),
  ])
  func refusesWhatIsNoDate(_ text: String) {
    #expect(HTTPDate.parse(text) == nil)
  }
}
