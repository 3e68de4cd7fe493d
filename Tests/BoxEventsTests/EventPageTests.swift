import Testing

@testable import BoxEvents

@Suite struct EventPageTests {
  private func page(_ text: String) throws -> EventPage {
    try EventPage(parsing: Array(text.utf8))
  }

  private func lines(_ page: EventPage) -> [String] {
    page.events.map { String(decoding: page.bytes[$0.range], as: UTF8.self) }
  }

  @Test func slicesEventsVerbatim() throws {
    let first = #"{"type":"event","event_id":"a1","created_at":"2026-11-23T10:00:00-08:00","n":1.50e+3}"#
    let second = #"{"event_id":7,"source":{"event_id":"inner","path":[1,{"x":null}]},"k":"\u00e9\/"}"#
    let page = try page(
      #"{"chunk_size":9,"next_stream_position":1152922976252290886,"entries":[\#(first),\#(second)]}"#)
    #expect(lines(page) == [first, second])
    #expect(page.nextPosition?.digits == "1152922976252290886")
    #expect(page.rejects.isEmpty)
    let created = page.events[0].createdAt
    #expect(String(decoding: page.bytes[created], as: UTF8.self) == "2026-11-23T10:00:00-08:00")
    #expect(page.events[1].createdAt.isEmpty)
  }

  @Test(arguments: [
    (#"{"event_id":"7"}"#, #"{"event_id":7}"#, true),
    (#"{"event_id":"A","x":1}"#, #"{"x":2,"event\u005fid":"\u0041"}"#, true),
    (#"{"event_id":"a"}"#, #"{"event_id":"b"}"#, false),
    (#"{"event_id":"a","event_id":"b"}"#, #"{"event_id":"b"}"#, true),
    (#"{"event_id":"","x":1}"#, #"{"event_id":"","x":2}"#, false),
    (#"{"event_id":null,"x":1}"#, #"{"event_id":null,"x":1}"#, true),
    (#"{"source":{"event_id":"a"}}"#, #"{"event_id":"a"}"#, false),
    (#"{"event_id":"\ud800"}"#, #"{"event_id":"\ud801"}"#, false),
    (#"{"event_id":{}}"#, #"{"event_id":[]}"#, false),
  ])
  func identifiesEvents(left: String, right: String, same: Bool) throws {
    let page = try page(#"{"entries":[\#(left),\#(right)]}"#)
    try #require(page.events.count == 2)
    #expect((page.events[0].identity == page.events[1].identity) == same)
    for (event, text) in zip(page.events, [left, right]) {
      let identity = Array(text.utf8).withUnsafeBytes { EventLine.identity(of: $0) }
      #expect(identity == event.identity)
    }
  }

  @Test func keepsSpacesAndDropsLineBreaks() throws {
    let page = try page(
      "{\"entries\":[ {\"a\" : 1, \"event_id\":\"x\"} ,\n{\"b\":\r\n [1,\t2] , \"s\":\" \\n \\\" \"}\n]}")
    #expect(lines(page) == [#"{"a" : 1, "event_id":"x"}"#, #"{"b":[1,2],"s":" \n \" "}"#])
    let identity = Array(#"{"b":[1,2],"s":" \n \" "}"#.utf8).withUnsafeBytes { EventLine.identity(of: $0) }
    #expect(page.events[1].identity == identity)
  }

  @Test(arguments: [
    "null", "17", "\"text\"", "[]", "true", "NaN", "01", #"{"a":1,}"#, #"{"a":+1}"#, "{a:1}",
    "{\"a\":\"\u{1}\"}", "{\"a\":\"line\nbreak\"}", #"{"a":"\x"}"#, #"{"a":"\u12g4"}"#, #"{"a":Infinity}"#,
  ])
  func aBadEntryCostsNothingElse(entry: String) throws {
    let page = try page(
      #"{"entries":[{"event_id":"1"},\#(entry),{"event_id":"2"}],"next_stream_position":"5"}"#)
    #expect(lines(page) == [#"{"event_id":"1"}"#, #"{"event_id":"2"}"#])
    #expect(page.rejects.map { String(decoding: page.bytes[$0.range], as: UTF8.self) } == [entry])
    #expect(page.entryCount == 3)
    #expect(page.nextPosition?.digits == "5")
  }

  /// White space belongs to no entry, also where there is no entry.
  @Test(arguments: ["", " ", "\n\t ", "\r\n"])
  func nothingBetweenTwoCommasIsABadEntry(space: String) throws {
    let page = try page(
      #"{"entries":[\#(space),{"event_id":"1"}\#(space),\#(space)],"next_stream_position":"5"}"#)
    #expect(lines(page) == [#"{"event_id":"1"}"#])
    #expect(page.rejects.map(\.range.count) == [0, 0])
    #expect(page.nextPosition?.digits == "5")
  }

  @Test(
    arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] as [[UInt8]]
  )
  func invalidUTF8IsQuarantined(bytes: [UInt8]) throws {
    let body = Array(#"{"entries":[{"event_id":"1"},{"s":""#.utf8) + bytes + Array(#""}]}"#.utf8)
    let page = try EventPage(parsing: body)
    #expect(page.events.count == 1)
    #expect(page.rejects.map(\.reason) == ["a string is not UTF-8"])
  }

  @Test func boundsDepth() throws {
    func nested(_ depth: Int) -> String {
      #"{"a":"# + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
    }
    #expect(try page(#"{"entries":[\#(nested(512))]}"#).events.count == 1)
    let deep = try page(#"{"entries":[\#(nested(513)),\#(nested(10_000)),{"event_id":"1"}]}"#)
    #expect(deep.rejects.map(\.reason) == ["nested too deeply", "nested too deeply"])
    #expect(deep.events.count == 1)
  }

  @Test(arguments: [
    "0", "-1", "\"\"", "\"now\"", "\"0\"", "null", "1.5", "1.15e18", "true", "[1]", "\"12x\"", "\"00\"",
  ])
  func refusesPositionsThatAreNone(position: String) throws {
    let page = try page(#"{"entries":[],"next_stream_position": \#(position) }"#)
    #expect(page.nextPosition == nil)
    #expect(page.positionText == position)
  }

  @Test func namesTheUnusablePosition() throws {
    #expect(try page(#"{"entries":[]}"#).positionText == "missing")
    #expect(try page("{\"entries\":[],\"next_stream_position\":[\n1]}").positionText == #"[\u{A}1]"#)
    let long = String(repeating: "9", count: 70)
    #expect(
      try page(#"{"entries":[],"next_stream_position":\#(long)}"#).positionText == long.prefix(40) + "…")
  }

  @Test func acceptsPositionsOfAnyLength() throws {
    let digits = String(repeating: "9", count: 40)
    #expect(try page(#"{"entries":[],"next_stream_position":"\#(digits)"}"#).nextPosition?.digits == digits)
    #expect(try page(#"{"entries":[],"next_stream_position":"\#(digits)\#(digits)"}"#).nextPosition == nil)
  }

  @Test func entriesMayComeTwice() throws {
    #expect(try page(#"{"entries":[{"a":1}],"entries":[{"a":2}]}"#).events.count == 2)
    #expect(try page(#"{"entries":[{"a":1}],"entries":null}"#).events.count == 1)
  }

  @Test(arguments: [1, 50, 500]) func boundsTheEntries(limit: Int) throws {
    func page(_ count: Int, _ entry: String) throws -> EventPage {
      let entries = Array(repeating: entry, count: count).joined(separator: ",")
      return try EventPage(parsing: Array(#"{"entries":[\#(entries)]}"#.utf8), limit: limit)
    }
    for entry in ["{}", "17", "NaN", "{\n}"] {
      #expect(try page(2 * limit + 100, entry).entryCount == 2 * limit + 100)
      #expect {
        try page(2 * limit + 101, entry)
      } throws: {
        let refusal = $0 as? EventPage.Unreadable
        return refusal?.isForeign == false && refusal?.message.hasPrefix("many more entries") == true
          && refusal?.hint?.contains("api_url") == true
      }
    }
  }

  @Test(arguments: [
    ("", true), ("<html></html>", true), ("{}", true), (#"{"type":"error","status":503}"#, true),
    ("[]", true), (#"{"entries":null,"next_stream_position":3}"#, false),
    (#"{"next_stream_position":3}"#, false), (#"{"chunk_size":0}"#, false),
    (#"{"entries":[{"a":1}"#, false), (#"{"entries":[{"a":"x"y"},{"b":1}]}"#, false),
    (#"{"entries":7}"#, false), (#"{"entries":[{"a":[1 2]},{"b":1}]}"#, false),
    (#"{"entries":[{"a" 1},{"b":1}]}"#, false), (#"{"entries":[]} x"#, false), (#"{"entries":[{"a":"#, false),
  ])
  func refusesWhatIsNoPage(text: String, foreign: Bool) {
    #expect {
      try page(text)
    } throws: {
      ($0 as? EventPage.Unreadable)?.isForeign == foreign
    }
  }

  /// Cutting a page anywhere must give an error, never part of the page.
  @Test func refusesEveryTruncation() throws {
    let page = Array(
      #"{"chunk_size":1,"entries":[{"event_id":"é\"","x":[1,-2.5e3,true]}],"next_stream_position":12}"#.utf8)
    _ = try EventPage(parsing: page)
    for length in 0..<page.count {
      #expect(throws: EventPage.Unreadable.self) { try EventPage(parsing: Array(page[..<length])) }
    }
  }

  /// Any change of bytes gives a page or an error, and every event of a page is a line that reads back.
  @Test func survivesAnyMutation() throws {
    let page = Array(
      #"{"chunk_size":2,"entries":[{"event_id":"a","s":"\u00e9 \\"},{"event_id":12,"y":[{}, "é"]}],"next_stream_position":"12"}"#
        .utf8)
    var random = SplitMix64(seed: 7)
    let alphabet = Array("{}[]\",:\\ \n0e.-\u{0}tnf".utf8) + [0xFF, 0xC3, 0x80]
    for _ in 0..<20_000 {
      var body = page
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        body[Int.random(in: body.indices, using: &random)] = alphabet.randomElement(using: &random) ?? 0
      }
      guard let page = try? EventPage(parsing: body) else { continue }
      for event in page.events {
        let line = Array(page.bytes[event.range])
        #expect(!line.contains(0x0A))
        #expect(line.withUnsafeBytes { EventLine.identity(of: $0) } == event.identity)
      }
    }
  }
}
