import ScriptedHTTP

extension AnswerTable {
  /// Bytes that are, or are not, text. An event's bytes never change.
  static let texts = kept + refused

  private static func event(_ contents: [UInt8]) -> [UInt8] {
    Array(#"{"event_id":"text","x":""#.utf8) + contents + Array(#""}"#.utf8)
  }

  private static let kept: [AnswerRow] = [
    ("an escaped NUL", #"\u0000"#), ("a lone high surrogate, escaped", #"\ud800"#),
    ("a lone low surrogate, escaped", #"\udc00"#), ("surrogates in the wrong order", #"\udc00\ud800"#),
    ("a surrogate pair", #"\ud83d\ude00"#), ("U+2028 and U+2029", "\u{2028}\u{2029}"),
    ("bidi controls", "\u{202A}\u{202E}\u{2066}\u{2069}\u{200F}"), ("a byte order mark", "\u{FEFF}"),
    ("a non-character", "\u{FFFF}\u{10FFFF}"), ("DEL and C1 controls", "\u{7F}\u{85}\u{9B}"),
    ("escapes of every kind", #"\"\\\/\b\f\n\r\t\u00e9"#),
    ("combining characters", "e\u{301}\u{1F468}\u{200D}\u{1F469}"),
    ("an escape sequence, escaped", #"\u001b[31m"#), ("upper-case escapes", #"\u00E9\uABCD"#),
  ].map { name, text in
    AnswerRow("text, \(name)", .read, AnswerRow.page(bytes: event(Array(text.utf8)))) {
      $0.isRead(String(decoding: event(Array(text.utf8)), as: UTF8.self))
    }
  }

  private static let refused: [AnswerRow] =
    [
      ("a byte that UTF-8 never has", [0xFF]), ("a continuation byte alone", [0x80]),
      ("an overlong slash", [0xC0, 0xAF]), ("an overlong NUL", [0xC0, 0x80]),
      ("an overlong form of three bytes", [0xE0, 0x80, 0xAF]),
      ("an overlong form of four bytes", [0xF0, 0x80, 0x80, 0xAF]),
      ("a raw surrogate, as CESU-8 has it", [0xED, 0xA0, 0xBD]),
      ("a raw surrogate pair", [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]),
      ("above U+10FFFF", [0xF4, 0x90, 0x80, 0x80]), ("five bytes", [0xF8, 0x88, 0x80, 0x80, 0x80]),
      ("cut in a character", [0xE2, 0x82]), ("Latin-1", [0x63, 0x61, 0x66, 0xE9]),
    ].map { name, bytes in
      AnswerRow(
        "text, \(name)", .read, AnswerRow.page(bytes: event(bytes), Array(",\(AnswerRow.event)".utf8))
      ) {
        $0.isRead(AnswerRow.event, quarantined: ["a string is not UTF-8"])
      }
    } + [
      AnswerRow(
        "text, invalid UTF-8 in an event's key", .read,
        AnswerRow.page(bytes: Array("{\"".utf8) + [0xFF] + Array("\":1},\(AnswerRow.event)".utf8))
      ) { $0.isRead(AnswerRow.event, quarantined: ["a string is not UTF-8"]) },
      AnswerRow(
        "text, a byte between an event's tokens", .read,
        AnswerRow.page(bytes: Array("{\"a\":".utf8) + [0xFF] + Array("},\(AnswerRow.event)".utf8))
      ) { $0.isRead(AnswerRow.event, quarantined: ["an unexpected byte"]) },
      AnswerRow(
        "text, UTF-16", .read, .answer(bytes: Array(#"{"entries":[]}"#.utf8).flatMap { [$0, 0] })
      ) { $0.isRefused("Box's answer is not a page of events", limit: 50) },
    ]
}
