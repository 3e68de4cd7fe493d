import Testing

@testable import BoxEvents

@Suite struct JSONObjectWriterTests {
  @Test func membersStayInOrderAndNilIsNull() {
    var object = JSONObjectWriter()
    #expect(object.text == "{}")
    object.add("b", "text")
    object.add("a", nil as String?)
    object.add("n", UInt64.max)
    object.add("d", 1.5)
    object.add("x", nil as Double?)
    object.add("list", raw: "[1,2]")
    #expect(object.text == #"{"b":"text","a":null,"n":18446744073709551615,"d":1.5,"x":null,"list":[1,2]}"#)
    #expect(object.line == Array((object.text + "\n").utf8))
  }

  @Test func everyCharacterReadsBackFromOneLine() {
    let all = String(decoding: UInt8(0)..<0x80, as: UTF8.self) + "é\u{2028}😀"
    var object = JSONObjectWriter()
    object.add(all, all)
    let bytes = object.line
    #expect(JSONDocument(bytes)?[all].text == all)
    #expect(bytes.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7F })
  }

  @Test(arguments: [
    (1.0, "1"), (-0.0, "0"), (1e15, "1000000000000000"), (0.25, "0.25"), (1e300, "1e+300"), (-3, "-3"),
  ])
  func wholeNumbersHaveNoFraction(value: Double, text: String) {
    #expect(JSONObjectWriter.number(value) == text)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func whatIsNotANumberIsNull(value: Double) {
    #expect(JSONObjectWriter.number(value) == nil)
  }
}
