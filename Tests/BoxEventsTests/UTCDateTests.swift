import Testing

@testable import BoxEvents

@Suite struct UTCDateTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
      (951_868_800, "2000-03-01T00:00:00Z"),
      (1_772_348_709, "2026-03-01T07:05:09Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
      (4_107_542_399, "2100-02-28T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"),
      (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
    ] as [(Int64, String)])
  func writesAndReadsRFC3339(seconds: Int64, text: String) {
    #expect(UTCDate(secondsSince1970: seconds).rfc3339 == text)
    #expect(UTCDate(rfc3339: text)?.secondsSince1970 == seconds)
  }

  @Test func everyDayOfFourCenturies() {
    for day in Int64(0)..<146_097 {
      let date = UTCDate(secondsSince1970: day * 86_400 + 43_200)
      #expect(UTCDate(rfc3339: date.rfc3339) == date)
    }
  }

  @Test(
    arguments: [
      ("2026-11-23T10:00:00-08:00", 1_795_456_800), ("2024-02-29T23:59:59.123+01:30", 1_709_245_799),
      ("2026-11-23t18:00:00.5z", 1_795_456_800), ("2016-12-31T23:59:60Z", 1_483_228_800),
    ] as [(String, Int64)])
  func readsOffsetsFractionsAndLeapSeconds(text: String, seconds: Int64) {
    #expect(UTCDate(rfc3339: text)?.secondsSince1970 == seconds)
  }

  @Test(arguments: [
    "", "now", "2026-11-23", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z", "2026-02-28 00:00:00Z", "2026-02-28T24:00:00Z", "2026-02-28T00:60:00Z",
    "2026-11-23T10:00:00", "2026-11-23T10:00:00+8", "2026-11-23T10:00:00+24:00", "2026-11-23T10:00:00+08:60",
    "x026-11-23T10:00:00Z", "2026-03-01T07:05:09+", "aaaa-bb-ccTdd:ee:ffZ", "-026-11-23T10:00:00Z",
    "2026-11-23T10:00:00.Zx", String(repeating: "9", count: 100),
  ])
  func refusesOtherText(text: String) {
    #expect(UTCDate(rfc3339: text) == nil)
  }

  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ])
  func readsAllThreeFormsOfHTTP(text: String) {
    #expect(UTCDate(httpDate: text)?.secondsSince1970 == 784_111_777)
  }

  @Test(
    arguments: [
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
      ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200), ("Tue, 31 Dec 2199 23:59:59 GMT", 7_258_118_399),
      ("Sunday, 06-Nov-26 08:49:37 GMT", 1_793_954_977), ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
      ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400), ("Sun, 28 Feb 2100 23:59:59 GMT", 4_107_542_399),
      ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
    ] as [(String, Int64)])
  func readsHTTPDates(text: String, seconds: Int64) {
    #expect(UTCDate(httpDate: text)?.secondsSince1970 == seconds)
    if !text.contains("day") { #expect(UTCDate(secondsSince1970: seconds).httpDate == text) }
  }

  @Test(arguments: [
    "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 31 Feb 2024 00:00:00 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Mon, 29 Feb 2100 00:00:00 GMT", "Thu, 29 Feb 2023 00:00:00 GMT", "Wed, 31 Apr 2026 00:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 06 Nov 1969 08:49:37 GMT",
    String(repeating: "9", count: 100),
  ])
  func refusesOtherHTTPDates(text: String) {
    #expect(UTCDate(httpDate: text) == nil)
  }

  @Test func secondsOutOfRange() {
    #expect(UTCDate(secondsSince1970: .min).rfc3339 == "0000-01-01T00:00:00Z")
    #expect(UTCDate(secondsSince1970: .max).rfc3339 == "9999-12-31T23:59:59Z")
    for seconds in [Double.nan, .infinity, -.infinity, 1e300, -1e300, 253_402_300_800] {
      #expect(UTCDate(secondsSince1970: seconds) == nil)
    }
  }

  @Test func fractionsAreRoundedDown() {
    #expect(UTCDate(secondsSince1970: 0.999)?.rfc3339 == "1970-01-01T00:00:00Z")
    #expect(UTCDate(secondsSince1970: -0.001)?.rfc3339 == "1969-12-31T23:59:59Z")
  }
}
