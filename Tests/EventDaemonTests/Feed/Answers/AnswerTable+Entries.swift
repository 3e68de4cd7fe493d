import EventDaemon
import ScriptedHTTP

extension AnswerTable {
  /// One entry each, between two events: a bad one costs nothing else.
  static let entries = taken + quarantined + others

  private static let first = #"{"event_id":"first"}"#
  private static let last = #"{"event_id":"last"}"#

  /// Any JSON object is an event, exactly as it was sent.
  private static let taken: [AnswerRow] = [
    ("an empty object", "{}"), ("no id", #"{"type":"event"}"#), ("id null", #"{"event_id":null}"#),
    ("id empty", #"{"event_id":""}"#), ("id a number", #"{"event_id":12345678901234567890}"#),
    ("id a fraction", #"{"event_id":1.5}"#), ("id -0", #"{"event_id":-0}"#),
    ("id 1e999", #"{"event_id":1e999}"#), ("id true", #"{"event_id":true}"#),
    ("id an object", #"{"event_id":{"event_id":"inner"}}"#), ("id an array", #"{"event_id":["first"]}"#),
    ("id of 100 kB", #"{"event_id":"\#(String(repeating: "x", count: 100_000))"}"#),
    ("id with control characters", #"{"event_id":"a\u0000\u001b[2J\n\r"}"#),
    ("id with bidi controls", "{\"event_id\":\"\u{202E}tsrif\u{2066}\"}"),
    ("id with U+2028", "{\"event_id\":\"a\u{2028}b\u{2029}\"}"),
    ("id that looks like another's JSON", #"{"event_id":"\"first\""}"#),
    ("id twice: the last counts", #"{"event_id":"first","event_id":"second"}"#),
    ("key escaped", #"{"event\u005fid":"second"}"#), ("an inner id", #"{"source":{"event_id":"first"}}"#),
    ("a key like event_id", #"{"EVENT_ID":"first","event_id ":"first"}"#),
    ("huge numbers", #"{"n":1.2318237429383e+31,"m":123456789012345678901234567890,"x":1e-999}"#),
    ("512 deep", #"{"a":\#(nested(511))}"#), ("unknown members", #"{"event_id":"second","":{"":[]}}"#),
    ("10,000 members", "{\((0..<10_000).map { #""k\#($0)":0"# }.joined(separator: ","))}"),
    ("an event of 20 MB", #"{"event_id":"big","x":"\#(String(repeating: "x", count: 20 << 20))"}"#),
  ].map { name, entry in
    AnswerRow("entry, \(name)", .read, AnswerRow.page("\(first),\(entry),\(last)")) {
      $0.isRead(first, entry, last)
    }
  }

  /// Anything else is kept aside, with the reason.
  private static let quarantined: [AnswerRow] = [
    ("null", "null", notAnObject), ("a number", "17", notAnObject), ("-0", "-0", notAnObject),
    ("a string", #""event""#, notAnObject), ("false", "false", notAnObject), ("an array", "[]", notAnObject),
    ("an array of events", #"[{"event_id":"inner"}]"#, notAnObject),
    ("nested arrays", "[[[1],[2]]]", notAnObject), ("NaN", "NaN", noJSON), ("Infinity", "Infinity", noJSON),
    ("-Infinity", "-Infinity", badNumber), ("undefined", "undefined", noJSON), ("True", "True", noJSON),
    ("01", "01", badNumber), ("1.", "1.", badNumber), (".5", ".5", noJSON), ("+1", "+1", noJSON),
    ("1e", "1e", badNumber), ("0x1", "0x1", badNumber),
    ("a comma at its end", #"{"event_id":"x",}"#, noJSON), ("a bare key", #"{event_id:1}"#, noJSON),
    ("single quotes", "{'event_id':'x'}", noJSON), ("no value", #"{"event_id":}"#, noJSON),
    ("a key that is no string", #"{1:2}"#, noJSON), ("a missing comma", #"{"a":[1],"b":tru}"#, noJSON),
    ("a comment", #"{"a":/**/1}"#, noJSON), ("an unknown escape", #"{"event_id":"\x41"}"#, badEscape),
    ("a short Unicode escape", #"{"event_id":"\u12g4"}"#, badEscape),
    ("a raw NUL", "{\"event_id\":\"a\0b\"}", control), ("a raw newline", "{\"event_id\":\"a\nb\"}", control),
    ("a raw tab in a key", "{\"event\tid\":1}", control), ("513 deep", #"{"a":\#(nested(512))}"#, tooDeep),
    ("10,000 deep", #"{"event_id":\#(nested(10_000))}"#, tooDeep),
    ("objects 10,000 deep", objects(10_000), tooDeep),
  ].map { name, entry, reason in
    AnswerRow("entry, \(name)", .read, AnswerRow.page("\(first),\(entry),\(last)")) {
      $0.isRead(first, last, quarantined: [reason])
    }
  }

  private static let notAnObject = "not an object"
  private static let noJSON = "an unexpected byte"
  private static let badNumber = "a malformed number"
  private static let badEscape = "a string has an unknown escape"
  private static let control = "a string has an unescaped control character"
  private static let tooDeep = "nested too deeply"

  private static let others = [
    AnswerRow(
      "entries, every one bad", .read, AnswerRow.page(#"null,17,"x",[],{"a":01},NaN"#)
    ) {
      $0.isRead(
        quarantined: Array(repeating: notAnObject, count: 4) + [badNumber, noJSON])
    },
    // Nothing at all is a bad entry too: something may have stood there.
    AnswerRow("entries, a comma behind the last", .read, AnswerRow.page("\(first),")) {
      $0.isRead(first, quarantined: [noJSON])
    },
    AnswerRow("entries, a space between commas", .read, AnswerRow.page(" ,\(first) , \n, ")) {
      $0.isRead(first, quarantined: [noJSON])
    },
    AnswerRow("entries, only commas", .read, AnswerRow.page(",,\(first),,")) {
      $0.isRead(first, quarantined: [noJSON])
    },
    AnswerRow("entries, the same bad one three times", .read, AnswerRow.page("null,null,null")) {
      $0.isRead(quarantined: [notAnObject])
    },
    AnswerRow("entries, a bad one served again", .read, times: 2, AnswerRow.page("null", next: "1000")) {
      $0.isRead(quarantined: [notAnObject], to: "1000")
    },
    AnswerRow("entries, the same event three times", .read, AnswerRow.page("\(first),\(first),\(first)")) {
      $0.isRead(first)
    },
    AnswerRow(
      "entries, an id with other bytes: the first stays", .read,
      AnswerRow.page(#"\#(first),{"event_id":"first","x":1}"#)
    ) { $0.isRead(first) },
    AnswerRow("entries, id 7 and \"7\" are one", .read, AnswerRow.page(#"{"event_id":7},{"event_id":"7"}"#)) {
      $0.isRead(#"{"event_id":7}"#)
    },
    AnswerRow("entries, line breaks in an event", .read, AnswerRow.page("{\"a\":\r\n1 ,\n\"b\" : \" \" }")) {
      $0.isRead(#"{"a":1,"b":" "}"#)
    },
    AnswerRow("entries, spaces and tabs in an event", .read, AnswerRow.page("{ \"a\" :\t1 }")) {
      $0.isRead("{ \"a\" :\t1 }")
    },
    AnswerRow(
      "entries, more than asked for", .read,
      AnswerRow.page((0..<600).map { #"{"event_id":"\#($0)"}"# }.joined(separator: ","))
    ) { row in
      row.isRead()
      row.spooled = (0..<600).map { #"{"event_id":"\#($0)"}"# }
    },
    AnswerRow(
      "entries, a full page of known events", .read, times: 3,
      AnswerRow.page((0..<500).map { #"{"event_id":"\#($0)"}"# }.joined(separator: ","), next: "1000")
    ) { row in
      row.spooled = (0..<500).map { #"{"event_id":"\#($0)"}"# }
      row.state = .stalled
      row.reports = "Box serves a full page of known events again and again"
    },
  ]

  private static func objects(_ depth: Int) -> String {
    String(repeating: #"{"a":"#, count: depth) + "0" + String(repeating: "}", count: depth)
  }
}
