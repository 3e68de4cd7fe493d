import EventDaemon
import ScriptedHTTP

extension AnswerTable {
  /// Bodies with status 200 that are not a page as documented.
  static let pages = foreign + broken + readable

  /// Not Box's at all: asking for fewer events would not help.
  private static let foreign: [AnswerRow] = [
    ("HTML", "<!DOCTYPE html><html><body>Sign in</body></html>"), ("empty", ""), ("white space", " \r\n\t "),
    ("plain text", "OK"), ("an empty object", "{}"), ("an array", "[]"), ("an array of events", "[{}]"),
    ("a string", #""page""#), ("null", "null"), ("a number", "17"), ("true", "true"), ("one NUL", "\0"),
    ("an error with 200", #"{"type":"error","status":503,"code":"unavailable"}"#),
    ("OPTIONS' answer", #"{"data":[{"type":"realtime_server"}]}"#),
    ("a byte order mark", "\u{FEFF}{\"entries\":[]}"),
    ("an event", AnswerRow.event), ("10,000 arrays", String(repeating: "[", count: 10_000)),
    ("XML", "<?xml version=\"1.0\"?><page/>"),
    ("JSONP", #"callback({"entries":[]})"#), ("a script guard", ")]}'\n{\"entries\":[]}"),
  ].map { name, body in
    AnswerRow("200, \(name)", .read, .answer(200, body)) {
      $0.isRefused("Box's answer is not a page of events")
    }
  }

  private static let event = AnswerRow.event

  /// Begun like a page and not to be read to its end: asked for again with fewer events.
  private static let broken: [AnswerRow] =
    [
      ("trailing garbage", #"{"entries":[\#(event)],"next_stream_position":1500} x"#),
      ("a NUL behind", "{\"entries\":[\(event)],\"next_stream_position\":1500}\0"),
      ("two documents", #"{"entries":[\#(event)],"next_stream_position":1500}{"entries":[]}"#),
      ("two documents, a line each", "{\"entries\":[\(event)]}\n{\"entries\":[]}"),
      ("a comma at the end", #"{"entries":[\#(event)],"next_stream_position":1500,}"#),
      ("a comma at the beginning", #"{,"entries":[\#(event)]}"#),
      ("entries are an object", #"{"entries":{"0":\#(event)},"next_stream_position":1500}"#),
      ("entries are a string", #"{"entries":"none","next_stream_position":1500}"#),
      ("entries are a number", #"{"entries":0,"next_stream_position":1500}"#),
      ("entries are false", #"{"entries":false,"next_stream_position":1500}"#),
      ("cut in a key", #"{"entries":[\#(event)],"next_str"#),
      ("cut behind a key", #"{"entries":[\#(event)],"next_stream_position""#),
      ("cut behind a colon", #"{"entries":[\#(event)],"next_stream_position":"#),
      ("cut in a number", #"{"entries":[\#(event)],"next_stream_position":15"#),
      ("cut in a string", #"{"entries":[{"event_id":"odd-"#),
      ("cut in an escape", #"{"entries":[{"event_id":"odd-\"#),
      ("cut in a Unicode escape", #"{"entries":[{"event_id":"odd-\u00"#),
      ("cut in an event", #"{"entries":[\#(event),{"event_id":"odd-2""#),
      ("cut behind an event", #"{"entries":[\#(event)"#),
      ("cut behind a comma", #"{"entries":[\#(event),"#),
      ("cut before the last brace", #"{"entries":[\#(event)],"next_stream_position":1500"#),
      ("cut in a literal", #"{"entries":nul"#),
      ("one brace", "{"),
      ("entries null", #"{"entries":null,"next_stream_position":1500}"#),
      ("entries absent", #"{"next_stream_position":1500}"#),
      ("many more entries than asked for", page(1101)),
      ("a form feed before it", "\u{C}{\"entries\":[\(event)]}"),
      ("a comment", #"{/* page */"entries":[\#(event)],"next_stream_position":1500}"#),
      ("a line comment", "{\"entries\":[\(event)] // all\n}"),
      ("single quotes", "{'entries':[\(event)]}"),
      ("a bare key", "{entries:[\(event)]}"),
      ("NaN beside the entries", #"{"chunk_size":NaN,"entries":[\#(event)]}"#),
      ("a control character in a key", "{\"entr\u{1}ies\":[],\"entries\":[\(event)]}"),
      ("a NUL between tokens", "{\"entries\":\0[\(event)]}"),
      ("a no-break space between tokens", "{\"entries\":\u{A0}[\(event)]}"),
      ("U+2028 between tokens", "{\"entries\":\u{2028}[\(event)]}"),
      ("nested 10,000 deep beside the entries", #"{"x":\#(nested(10_000)),"entries":[\#(event)]}"#),
      ("a missing quote", #"{"entries":[{"event_id":"odd-1},\#(event)]}"#),
    ].map { name, body in
      AnswerRow("page, \(name)", .read, .answer(200, body)) {
        $0.isRefused("Box's answer is not a page of events", limit: 50)
      }
    }
    + badBytes.map { name, bytes in
      AnswerRow(
        "page, \(name)", .read,
        .answer(bytes: bytes + Array(#""entries":[\#(event)],"next_stream_position":1500}"#.utf8))
      ) { $0.isRefused("Box's answer is not a page of events", limit: 50) }
    }

  private static func page(_ count: Int) -> String {
    let entries = (1...count).map { #"{"event_id":"odd-\#($0)"}"# }.joined(separator: ",")
    return #"{"entries":[\#(entries)],"next_stream_position":1500}"#
  }

  private static let badBytes: [(String, [UInt8])] = [
    ("invalid UTF-8 in a string", Array(#"{"x":""#.utf8) + [0xFF] + Array(#"","#.utf8)),
    ("invalid UTF-8 in a key", Array(#"{""#.utf8) + [0xC3, 0x28] + Array(#"":1,"#.utf8)),
    ("invalid UTF-8 outside of strings", Array("{".utf8) + [0x80]),
  ]

  /// Odd, and a page all the same.
  private static let readable = [
    AnswerRow(
      "page, entries twice", .read,
      .answer(
        200,
        #"{"entries":[\#(event)],"entries":[{"event_id":"odd-2"}],"next_stream_position":1500}"#)
    ) { $0.isRead(event, #"{"event_id":"odd-2"}"#) },
    AnswerRow(
      "page, entries twice, the last null", .read,
      .answer(200, #"{"entries":[\#(event)],"entries":null,"next_stream_position":1500}"#)
    ) { $0.isRead(event) },
    AnswerRow(
      "page, its key escaped", .read,
      .answer(200, #"{"\u0065ntries":[\#(event)],"next_stream_position":1500}"#)
    ) { $0.isRead(event) },
    AnswerRow(
      "page, unknown members, deep", .read,
      .answer(200, #"{"x":\#(nested(500)),"entries":[\#(event)],"y":{},"next_stream_position":1500}"#)
    ) { $0.isRead(event) },
    AnswerRow(
      "page, chunk_size lies", .read,
      .answer(200, #"{"chunk_size":1e9,"entries":[\#(event)],"next_stream_position":1500}"#)
    ) { $0.isRead(event) },
    AnswerRow(
      "page, pretty-printed", .read,
      .answer(
        200,
        "{\r\n  \"entries\": [\r\n    {\r\n \"event_id\" : \"odd-1\"\r\n}\r\n],\n\"next_stream_position\" : 1500 }\n"
      )
    ) { $0.isRead(event) },
    AnswerRow("page, malformed at every limit", .read, times: 3, .answer(200, #"{"entries":[1 2]}"#)) {
      $0.isRefused("Box's answer is not a page of events", limit: 1)
    },
    // The second would do at a limit of 500.
    AnswerRow(
      "page, many more entries than asked for, twice", .read, .answer(200, page(1101)),
      .answer(200, page(201))
    ) { $0.isRefused("many more entries than were asked for", limit: 1) },
    AnswerRow("page, malformed again and again", .read, times: 8, .answer(200, #"{"entries":[1 2]}"#)) {
      $0.isRefused("box-eventd position set", in: .blocked, limit: 1)
      $0.reports = "To skip what Box answers at position"
    },
    AnswerRow("page, larger than max_page", .read, .answer(200, String(repeating: " ", count: 5000))) {
      $0.isRefused("the page is larger than 4096 bytes. Raise max_page in [box].", limit: 50)
      $0.maximumPage = 4096
    },
  ]

  static func nested(_ depth: Int) -> String {
    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
  }
}
