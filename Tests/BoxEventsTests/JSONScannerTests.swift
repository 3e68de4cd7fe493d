import Testing

@testable import BoxEvents

/// What is JSON and what is not: RFC 8259, and RFC 3629 for the strings.
@Suite struct JSONScannerTests {
  private func isJSON(_ bytes: [UInt8]) -> Bool { JSONDocument(bytes) != nil }
  private func isJSON(_ text: String) -> Bool { isJSON(Array(text.utf8)) }

  /// The bytes as a string's contents, at every place of the eight that are looked at together.
  private func areStrings(_ contents: [UInt8]) -> Set<Bool> {
    var verdicts: Set<Bool> = []
    for count in 0...9 {
      let filling = [UInt8](repeating: 0x7A, count: count)
      verdicts.insert(isJSON([0x22] + filling + contents + [0x22]))
      verdicts.insert(isJSON([0x22] + filling + contents + filling + filling + [0x22]))
    }
    return verdicts
  }

  @Test(arguments: [
    "0", "-0", "7", "-12", "1.5", "0.0", "1e5", "1E+5", "1e-5", "-1.0e0", "10", "true", "false", "null",
    "\"\"",
    "[]", "{}", "[1,2]", "{\"a\":1,\"b\":[{}]}", " \t\r\n[ 1 , 2 ]\t\r\n ", "[\n]", "{ }",
  ])
  func accepts(text: String) {
    #expect(isJSON(text))
  }

  @Test(arguments: [
    "", " ", "01", "-01", "-", "-a", "1.", "1.e5", ".5", "+1", "1e", "1e+", "1x", "0x1", "1_0", "1.2.3",
    "--1",
    "t", "tru", "tRue", "trux", "truex", "nul", "nulL", "fals", "falze", "True", "NaN", "Infinity", "'a'",
    "[", "]", "{", "}", "[}", "{]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{,}", "{\"a\"}",
    "{\"a\":}",
    "{\"a\" 1}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{1:1}", "{a:1}", "{\"a\":1]", "[1}", "[] x", "1 2",
    "{}{}",
    "\"", "\"a", "\"\\", "\u{B}1", "\u{C}1", "1\u{0}", "\u{0}", "[1,\u{B}2]", "\u{FEFF}1", "\u{A0}1",
  ])
  func refuses(text: String) {
    #expect(!isJSON(text))
  }

  @Test(arguments: [
    #"\""#, #"\\"#, #"\/"#, #"\b"#, #"\f"#, #"\n"#, #"\r"#, #"\t"#, #"\u0000"#, #"\u00e9"#, #"\uABcd"#,
    #"\ud800"#,
  ])
  func acceptsTheEscapes(escape: String) {
    #expect(areStrings(Array(escape.utf8)) == [true])
  }

  @Test(arguments: [
    #"\v"#, #"\a"#, #"\x41"#, #"\'"#, #"\0"#, #"\U0041"#, #"\u"#, #"\u1"#, #"\u123"#, #"\u12g4"#, #"\u123G"#,
    "\\\n",
    #"\ "#,
  ])
  func refusesOtherEscapes(escape: String) {
    #expect(areStrings(Array(escape.utf8)) == [false])
  }

  @Test func refusesEveryControlCharacterInAString() {
    for byte in UInt8(0)..<0x20 { #expect(areStrings([byte]) == [false]) }
    #expect(areStrings([0x20]) == [true])
    #expect(areStrings([0x7F]) == [true])
  }

  @Test(
    arguments: [
      [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xE1, 0x80, 0x80], [0xED, 0x9F, 0xBF],
      [0xEE, 0x80, 0x80],
      [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80], [0xF1, 0x80, 0x80, 0x80], [0xF3, 0xBF, 0xBF, 0xBF],
      [0xF4, 0x8F, 0xBF, 0xBF],
    ] as [[UInt8]])
  func acceptsTheBordersOfUTF8(bytes: [UInt8]) {
    #expect(areStrings(bytes) == [true])
  }

  @Test(
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xC2, 0xC0], [0xE0, 0x80, 0x80],
      [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80],
      [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80],
      [0xF0, 0x90, 0x28, 0xBC], [0xF0, 0x90, 0x80, 0x28], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
      [0xFE], [0xFF],
    ] as [[UInt8]])
  func refusesWhatIsNoUTF8(bytes: [UInt8]) {
    #expect(areStrings(bytes) == [false])
  }

  @Test func goesToTheMaximumDepth() {
    func objects(_ depth: Int) -> String {
      String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
    }
    func arrays(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(isJSON(objects(512)) && isJSON(arrays(512)))
    #expect(!isJSON(objects(513)) && !isJSON(arrays(513)))
    #expect(!isJSON(String(repeating: "{\"a\":[", count: 100_000)))
  }
}
