extension JSONScanner {
  /// Finds the end of an array element that is not valid JSON, so that the rest of the array can be
  /// read: the index is then at the `,` or `]` after it.
  ///
  /// It trusts brackets and quotes, and only while the text keeps to their order: a string is
  /// never followed directly by a string or a word. A quote too many therefore fails within a token
  /// or two, rather than turn the following events inside out.
  mutating func skipBrokenElement() throws(Fault) {
    var depth = 0
    var afterValue = false
    while index < end {
      switch byte(at: index) {
      case UInt8(ascii: ",") where depth == 0, UInt8(ascii: "]") where depth == 0: return
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        index += 1
        afterValue = false
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard depth > 0 else { throw fault(.unexpectedByte) }
        depth -= 1
        index += 1
        afterValue = true
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      case _ where afterValue: throw fault(.unexpectedByte)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        index += 1
      case UInt8(ascii: "\""):
        try skipBrokenString()
        afterValue = true
      default:
        // A word or a number, however wrong: NaN, 01, True.
        while index < end, !Self.wordEnds.contains(byte(at: index)) { index += 1 }
        afterValue = true
      }
    }
    throw fault(.unexpectedEnd)
  }

  private static let wordEnds = Array("\"{}[],: \t\n\r".utf8)

  /// To the closing quote, whatever comes before it.
  private mutating func skipBrokenString() throws(Fault) {
    index += 1
    while index < end {
      let next = byte(at: index)
      index += next == UInt8(ascii: "\\") && index + 1 < end ? 2 : 1
      if next == UInt8(ascii: "\"") { return }
    }
    throw fault(.unexpectedEnd)
  }
}
