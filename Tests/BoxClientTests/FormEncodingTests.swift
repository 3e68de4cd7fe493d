import Testing

@testable import BoxClient

@Suite struct FormEncodingTests {
  @Test func encodesAndDecodes() {
    #expect(FormEncoding.body([("a", "x y"), ("b", "1&2=ü+%")]) == "a=x%20y&b=1%262%3D%C3%BC%2B%25")
    #expect(FormEncoding.unescaped("1%262%3D%C3%BC%2B%25") == "1&2=ü+%")
    #expect(FormEncoding.unescaped("a+b", plusIsSpace: true) == "a b")
    #expect(FormEncoding.value(of: "code", in: "state=1&code=a%2Fb&x") == "a/b")
    #expect(FormEncoding.value(of: "x", in: "state=1&code=a%2Fb&x") == nil)
  }

  @Test(arguments: ["%", "%4", "%+1", "%-1", "%1+", "%zz", "a%2", "%ff", "% 1"])
  func refusesInvalidEscapes(text: String) {
    #expect(FormEncoding.unescaped(text) == nil)
  }
}
