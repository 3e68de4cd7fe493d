import Testing

@testable import BoxEvents

/// Ids are stored with the spool's state and must come out the same in every version.
@Suite struct EventIdentityTests {
  private func identity(ofID text: String) -> EventIdentity {
    Array(text.utf8).withUnsafeBytes { EventIdentity(id: $0) }
  }

  private func identity(of line: String) -> EventIdentity? {
    Array(line.utf8).withUnsafeBytes { EventLine.identity(of: $0) }
  }

  @Test func idIsTheFirstHalfOfItsHash() {
    // printf abc | sha256sum
    #expect(identity(ofID: "abc") == EventIdentity(high: 0xba78_16bf_8f01_cfea, low: 0x4141_40de_5dae_2223))
    #expect(identity(of: #"{"event_id":"abc"}"#) == identity(ofID: "abc"))
  }

  @Test func lineIsHashedAfterANUL() {
    // printf '\0{"a":1}' | sha256sum
    #expect(
      identity(of: #"{"a":1}"#) == EventIdentity(high: 0xc726_1463_ebd7_76f4, low: 0x650b_6d0f_e942_d9cc))
  }

  @Test func idThatLooksLikeALineDiffersFromTheLine() {
    #expect(identity(of: #"{"event_id":"{}"}"#) != identity(of: "{}"))
  }

  @Test(arguments: [
    (#"\b\f\n\r\t"#, "\u{8}\u{C}\n\r\t"), (#"\"\\\/"#, #""\/"#), (#"\u0041\u007f"#, "A\u{7F}"),
    (#"\u0080"#, "\u{80}"),
    (#"\u00e9"#, "é"), (#"\u0400\u07ff"#, "\u{400}\u{7FF}"), (#"\u0800\uffff"#, "\u{800}\u{FFFF}"),
    (#"\ud83d\ude00"#, "😀"), (#"\uD800\uDC00\uDBFF\uDFFF"#, "\u{10000}\u{10FFFF}"), (#"a\u006Eb"#, "anb"),
  ])
  func countsByItsTextWhateverTheEscapes(escaped: String, text: String) {
    #expect(identity(of: #"{"event_id":"\#(escaped)"}"#) == identity(ofID: text))
  }

  @Test(arguments: ["7", "-7", "1.5", "1e5", "1E+5", "12345678901234567890123"])
  func aNumberIsKnownByItsDigits(number: String) {
    #expect(identity(of: #"{"event_id":\#(number),"x":1}"#) == identity(ofID: number))
    #expect(identity(of: #"{"event_id":\#(number)}"#) == identity(ofID: number))
  }

  @Test(arguments: [
    "", "[]", "7", "\"text\"", "{}x", "{} {}", "{\"a\":\n1}", "{\"a\":\r1}", " {}", "{", "null", "{\"a\":1",
  ])
  func whatIsNoEventHasNone(line: String) {
    #expect(identity(of: line) == nil)
  }
}
