import Testing

@testable import BoxEvents

struct PlainTextTests {
  @Test func plainTextStaysAsItIs() {
    for text in ["", "Box answered 503", "Grüße, 世界 👩‍👩‍👧", "C:\\dir \"quoted\" {}", "e\u{301}"] {
      #expect(PlainText.escaped(text) == text)
    }
  }

  @Test func everyControlCharacterIsEscaped() throws {
    for value in Array(UInt32(0)...0x1F) + Array(0x7F...0x9F) {
      let scalar = try #require(Unicode.Scalar(value))
      let hex = String(value, radix: 16, uppercase: true)
      #expect(PlainText.escaped("a\(Character(scalar))b") == "a\\u{\(hex)}b")
    }
    #expect(PlainText.escaped("a\r\nb") == "a\\u{D}\\u{A}b")
  }

  @Test func everyBidirectionalControlIsEscaped() throws {
    let bidirectional: [UInt32] =
      [0x061C, 0x200E, 0x200F] + Array(0x202A...0x202E) + Array(0x2066...0x2069)
    for value in bidirectional + [0x2028, 0x2029] {
      let scalar = try #require(Unicode.Scalar(value))
      let hex = String(value, radix: 16, uppercase: true)
      #expect(PlainText.escaped("a\(Character(scalar))b") == "a\\u{\(hex)}b")
    }
  }

  @Test func jsonIsEscapedAsJSON() {
    let json = "{\"a\":\t\"\u{7F}\u{9B}2J\u{202E}\u{FEFF}é\u{1F600}\"}"
    let escaped = PlainText.escapedJSON(json)
    #expect(escaped == "{\"a\":\t\"\\u007f\\u009b2J\\u202e\\ufeffé\u{1F600}\"}")
    #expect(JSONDocument(Array(escaped.utf8))?["a"].text == JSONDocument(Array(json.utf8))?["a"].text)
    #expect(PlainText.escapedJSON(#"{"a":"\u001b"}"#) == #"{"a":"\u001b"}"#)
  }

  @Test func neighboursOfTheEscapedStay() {
    for value: UInt32 in [0x20, 0x7E, 0xA0, 0x061B, 0x061D, 0x200D, 0x2010, 0x202F, 0x2065, 0x206A] {
      let text = Unicode.Scalar(value).map { String($0) } ?? ""
      #expect(PlainText.escaped(text) == text)
    }
  }

  @Test func isCutAtALimitInBytesBetweenCharacters() {
    #expect(PlainText.escaped("abcdef", limit: 6) == "abcdef")
    #expect(PlainText.escaped("abcdefg", limit: 6) == "abcdef…")
    #expect(PlainText.escaped("ääää", limit: 5) == "ää…")
    #expect(PlainText.escaped("ab\ncd", limit: 6) == "ab…")
  }
}
