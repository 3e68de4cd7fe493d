import Testing

@testable import BoxEvents

@Suite struct StreamPositionTests {
  private func position(_ text: String) throws -> StreamPosition { try #require(StreamPosition(text)) }

  @Test(arguments: ["1", "007", "1152922976252290886", String(repeating: "9", count: 64)])
  func keepsTheDigitsAsTheyAre(digits: String) throws {
    #expect(try position(digits).digits == digits)
    #expect(ReadPosition(digits)?.description == digits)
  }

  @Test(arguments: [
    "", "0", "000", "-1", "+1", "1.0", "1e3", " 1", "1 ", "now", "١", String(repeating: "9", count: 65),
  ])
  func refusesWhatIsNone(text: String) {
    #expect(StreamPosition(text) == nil)
  }

  @Test(arguments: [
    ("10", "9", true), ("9", "10", false), ("1152922976252290887", "1152922976252290886", true),
    ("1152922976252290886", "1152922976252290887", false), ("5", "5", false), ("100", "99", true),
    ("21", "19", true),
  ])
  func isComparedAsANumberOfAnyLength(left: String, right: String, exceeds: Bool) throws {
    #expect(try position(left).exceeds(position(right)) == exceeds)
  }

  @Test func readsZeroAsOldestAndNowAsNow() {
    #expect(ReadPosition("0") == .oldest)
    #expect(ReadPosition("oldest") == .oldest)
    #expect(ReadPosition("now") == .now)
    #expect(ReadPosition.oldest.description == "0")
    #expect(ReadPosition.now.description == "now")
    for text in ["", "00", "-1", "newest", "Now"] { #expect(ReadPosition(text) == nil) }
  }
}
