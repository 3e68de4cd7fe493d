import Testing

@testable import BoxEvents

/// Where one entry ends and the next begins, whatever is around and in them.
@Suite struct EventPageEntriesTests {
  private func page(_ text: String) throws -> EventPage {
    try EventPage(parsing: Array(text.utf8))
  }

  private func lines(_ page: EventPage) -> [String] {
    page.events.map { String(decoding: page.bytes[$0.range], as: UTF8.self) }
  }

  private func rejects(_ page: EventPage) -> [String] {
    page.rejects.map { String(decoding: page.bytes[$0.range], as: UTF8.self) }
  }

  @Test func keepsAnEventBesideALineBreak() throws {
    let page = try page("{\"entries\": [\n  {\"a\" : 1}\n,\r\n{\"b\" : 2}\n,{\"c\"\r: 3}]}")
    #expect(lines(page) == [#"{"a" : 1}"#, #"{"b" : 2}"#, #"{"c":3}"#])
  }

  @Test func rewrittenLinesKeepTheirStrings() throws {
    let page = try page("{\"entries\":[{\"s\" :\n\"a b\\\\\" , \"t\": \"\\\" \\u0020\" }]}")
    #expect(lines(page) == [#"{"s":"a b\\","t":"\" \u0020"}"#])
  }

  @Test(arguments: ["\n", "\r"])
  func everyLineIsOneLine(lineBreak: String) throws {
    let page = try page("{\"entries\":[{\(lineBreak)\"event_id\":\(lineBreak)\"x\"}]}")
    #expect(lines(page) == [#"{"event_id":"x"}"#])
  }

  @Test(arguments: [
    #"{"s":"\"]}","x":NaN}"#, #"{"s":"\\","x":NaN}"#, #"[NaN,"]",{"}":"["}]"#, #"{"a":{"b":[01]}}"#, "NaN",
    "tru",
    #"{"a":"\q"}"#,
  ])
  func aBrokenEntryEndsWhereItEnds(entry: String) throws {
    let page = try page("{\"entries\":[{\"a\":1}, \(entry) \n,{\"b\":2}, \(entry)\t]}")
    #expect(lines(page) == [#"{"a":1}"#, #"{"b":2}"#])
    #expect(rejects(page) == [entry, entry])
    #expect(page.entryCount == 4)
  }

  @Test func sameRejectHasTheSameIdentity() throws {
    let page = try page(#"{"entries":[NaN , NaN,17]}"#)
    #expect(page.rejects[0].identity == page.rejects[1].identity)
    #expect(page.rejects[0].identity != page.rejects[2].identity)
  }

  @Test func takesTheLastOfSeveralPositions() throws {
    #expect(
      try page(#"{"next_stream_position":1,"entries":[],"next_stream_position":"2"}"#).nextPosition?.digits
        == "2")
    #expect(
      try page(#"{"next_stream_position":1,"entries":[],"next_stream_position":0}"#).nextPosition == nil)
  }
}
