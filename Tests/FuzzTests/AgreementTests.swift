import BoxEvents
import FuzzTargets
import Testing

/// The daemon's JSON scanner beside Foundation's: they agree on what is valid, but for the listed kinds.
@Suite struct AgreementTests {
  /// Every input and mutation is agreed on, or the difference is one of the known kinds; and each of these is
  /// really met.
  @Test func overCorpusAndMutations() throws {
    var met: [Disagreement: Int] = [:]
    var agreed = 0
    func compare(_ text: [UInt8], _ comment: @autoclosure () -> String) {
      guard let kinds = Disagreement.kinds(of: text) else {
        Issue.record("\(comment()): \(String(decoding: text, as: UTF8.self))")
        return
      }
      if kinds.isEmpty { agreed += 1 }
      for kind in kinds { met[kind, default: 0] += 1 }
    }
    for target in [FuzzTarget.page, .answers] {
      let inputs = try Corpus.inputs(of: target)
      for input in inputs { compare(input.bytes, input.name) }
      var mutator = Mutator(corpus: inputs.map(\.bytes), seed: 42)
      for number in 0..<10_000 { compare(mutator.next(), "\(target) mutation \(number)") }
    }
    #expect(agreed > 15_000)
    #expect(Set(met.keys) == Set(Disagreement.allCases), "\(met)")
  }

  @Test(arguments: [
    ("[1,]", Disagreement.trailingComma), (#"{"a":[1 , ],}"#, .trailingComma), ("\u{FEFF}[1]", .encoding),
    ("[\0]\0", .encoding), ("[1e999]", .numberOutOfRange), ("[0e2]", .zeroWithExponent),
    ("-0.0e8", .zeroWithExponent),
    (#"{"a":0E5}"#, .zeroWithExponent), ("-1E+400", .numberOutOfRange),
    ("1e-999", .numberOutOfRange), (#"["\ud800"]"#, .loneSurrogate), (#"{"\udc00\ud800":1}"#, .loneSurrogate),
    (#""\ud83d \ude00""#, .loneSurrogate),
  ])
  func eachKind(text: String, kind: Disagreement) {
    #expect(Disagreement.kinds(of: Array(text.utf8)) == [kind])
  }

  @Test func severalAtOnce() {
    #expect(
      Disagreement.kinds(of: Array(#"[1e999,"\ud800"]"#.utf8)) == [.numberOutOfRange, .loneSurrogate])
  }

  /// What both refuse, or both accept, where parsers are known to differ.
  @Test(arguments: [
    ("", false), (" ", false), ("01", false), ("1.", false), (".5", false), ("+1", false), ("-", false),
    ("-0", true),
    ("1e5", true), ("1E+2", true), ("NaN", false), ("Infinity", false), ("nul", false), ("truex", false),
    ("'a'", false),
    ("/**/1", false), ("[1 2]", false), ("[,1]", false), ("[1,,2]", false), ("{a:1}", false),
    ("{1:2}", false),
    (#"{"a"}"#, false), (#"{"a":1,"a":2}"#, true), ("[1] x", false), ("\"\u{7F}\u{2028}\"", true),
    ("\"\t\"", false),
    (#""\x41""#, false), (#""\u12g4""#, false), (#""\ud83d\ude00""#, true), (#""\/""#, true),
    ("\u{A0}1", false),
    ("\u{B}1", false), ("123456789012345678901234567890", true), (#""\u0000""#, true), ("[]{}", false),
  ])
  func disputedTexts(text: String, isValid: Bool) {
    #expect((JSONDocument(Array(text.utf8)) != nil) == isValid)
    #expect(JSONValidator.accepts(text.utf8) == isValid)
  }

  @Test(
    arguments: [
      [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
      [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x31, 0xFF], [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D],
    ] as [[UInt8]])
  func bothRefuseInvalidUTF8(text: [UInt8]) {
    #expect(JSONDocument(text) == nil)
    #expect(!JSONValidator.accepts(text))
  }

  @Test(arguments: [(512, true), (513, false), (10_000, false)])
  func bothGoAsDeep(depth: Int, isValid: Bool) {
    let text = [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
    #expect((JSONDocument(text) != nil) == isValid)
    #expect(JSONValidator.accepts(text) == isValid)
  }

  /// The one difference that is not about validity: of two members with one key the daemon takes the last, as
  /// most parsers do, Foundation the first.
  @Test func duplicateKeys() {
    let text = Array(#"{"event_id":"first","event_id":"last"}"#.utf8)
    #expect(JSONDocument(text)?["event_id"].text == "last")
    guard case .object(let members)? = JSONValidator.read(text), case .string(let id)? = members["event_id"]
    else {
      Issue.record("no object")
      return
    }
    #expect(id == "first")
  }
}
