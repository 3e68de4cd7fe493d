import Testing

@testable import BoxEvents

@Suite struct JSONDocumentTests {
  private func document(_ text: String) throws -> JSONDocument {
    try #require(JSONDocument(Array(text.utf8)))
  }

  @Test func takesTheLastOfTwoEqualKeys() throws {
    let document = try document(#"{"a":"1","b":{"a":"inner"},"\u0061":"2","c":[{"a":"3"}]}"#)
    #expect(document["a"].text == "2")
    #expect(document["b"]["a"].text == "inner")
    #expect(document["c"].elements.first?["a"].text == "3")
  }

  @Test func missingMembersAreEmpty() throws {
    let document = try document(#"{"a":null,"b":[],"c":true,"d":{}}"#)
    for key in ["a", "b", "c", "d", "e"] { #expect(document[key].text == nil) }
    #expect(document["e"]["f"].elements.isEmpty)
    #expect(document["d"].elements.isEmpty)
    #expect(document.elements.isEmpty)
  }

  @Test func numbersKeepTheirDigits() throws {
    let document = try document(#"{"a":1152922976252290886,"b":"12","c":1.50,"d":-3}"#)
    #expect(document["a"].text == "1152922976252290886")
    #expect(document["b"].integer(in: 12...12) == 12)
    #expect(document["b"].integer(in: 13...20) == nil)
    #expect(document["b"].integer(in: 1...11) == nil)
    #expect(document["c"].integer(in: 0...9) == nil)
    #expect(document["d"].integer(in: -3...0) == -3)
  }

  @Test func elementsComeInOrder() throws {
    let document = try document(#" [ "a" , {"x":[1,2]} , 3 ,null] "#)
    #expect(document.elements.map(\.text) == ["a", nil, "3", nil])
    #expect(document.elements[1]["x"].elements.map(\.text) == ["1", "2"])
  }
}
