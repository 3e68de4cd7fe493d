import ScriptedHTTP

extension AnswerTable {
  /// `next_stream_position` of every shape, behind a page with one event.
  static let positions: [AnswerRow] =
    usable.map { text, digits in
      AnswerRow(name(text), .read, AnswerRow.page(AnswerRow.event, next: text)) {
        $0.isRead(AnswerRow.event, to: digits)
      }
    }
    + unusable.map { text in
      AnswerRow(name(text), .read, AnswerRow.page(AnswerRow.event, next: text)) {
        $0.isStoredAndReadAgain()
      }
    }
    + malformed.map { text in
      AnswerRow(name(text), .read, AnswerRow.page(AnswerRow.event, next: text)) {
        $0.isRefused("Box's answer is not a page of events", limit: 50)
      }
    } + others

  private static func name(_ text: String) -> String {
    text.utf8.count > 40 ? "position \(text.prefix(8))…, \(text.utf8.count) bytes" : "position \(text)"
  }

  private static let usable: [(text: String, digits: String)] = [
    ("1500", "1500"),
    (#""1500""#, "1500"),
    ("1152922976252290886", "1152922976252290886"),  // above 2^53
    (#""1152922976252290886""#, "1152922976252290886"),
    ("18446744073709551617", "18446744073709551617"),  // above 2^64
    (String(repeating: "7", count: 40), String(repeating: "7", count: 40)),
    (#""\u0031500""#, "1500"),
    (#""007""#, "007"),  // opaque: kept as sent
    ("1500 ", "1500"),
    ("\n\t1500", "1500"),
  ]

  /// Valid JSON, and nothing to go on from: the position stays, and what follows can't be had.
  private static let unusable = [
    "0", "-1", "-0", #""0""#, #""000""#, #""-1""#, #""now""#, #""""#, "null", "1.15e18", "1500.0", "15e2",
    "1E3",
    #""1.15e18""#, #"" 1500""#, #""1500 ""#, #""1500\n""#, #""+1500""#, #""0x5dc""#, "true", "false", "[]",
    "[1500]", "{}", #"{"value":1500}"#, #""١٥٠٠""#, #""１５００""#, #""1500\u0000""#,
    #""\u202e0051""#, String(repeating: "9", count: 65), String(repeating: "9", count: 10_000),
    "\"\(String(repeating: "9", count: 10_000))\"",
  ]

  private static let malformed = [
    "01500", "+1500", "1500.", ".5", "0x5dc", "NaN", "Infinity", "-Infinity", "'1500'", "1_500", "1,500",
    "--1", "",
    "undefined", "1500 1600",
  ]

  private static let others = [
    AnswerRow("position absent", .read, .answer(200, #"{"entries":[\#(AnswerRow.event)]}"#)) {
      $0.isStoredAndReadAgain()
    },
    AnswerRow(
      "position twice: the last counts", .read,
      .answer(
        200,
        #"{"next_stream_position":1400,"entries":[\#(AnswerRow.event)],"next_stream_position":"1500"}"#)
    ) { $0.isRead(AnswerRow.event) },
    AnswerRow(
      "position twice, the last unusable", .read,
      .answer(200, #"{"next_stream_position":1400,"entries":[\#(AnswerRow.event)],"next_stream_position":0}"#)
    ) { $0.isStoredAndReadAgain() },
    AnswerRow(
      "position before the entries, its key escaped", .read,
      .answer(200, #"{"next\u005fstream_position":1500,"entries":[\#(AnswerRow.event)]}"#)
    ) { $0.isRead(AnswerRow.event) },
    // A page without events: a lower position, or none, is not followed.
    AnswerRow("empty page, position 0", .read, AnswerRow.page("", next: "0")) { $0.subscriptions = 1 },
    AnswerRow("empty page, position lower", .read, AnswerRow.page("", next: "999")),
    AnswerRow("empty page, position null", .read, AnswerRow.page("", next: "null")),
    AnswerRow("empty page, position now", .read, AnswerRow.page("", next: #""now""#)),
    AnswerRow("empty page, position further on", .read, AnswerRow.page("", next: "1500")) {
      $0.asks = "1500"
    },
  ]
}

extension AnswerRow {
  fileprivate mutating func isStoredAndReadAgain() {
    isRead(Self.event, to: "1000")
    isRefused("Box's answer has an unusable next_stream_position (")
  }
}
