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
      let next = byte(at: index)
      switch next {
      case UInt8(ascii: "\""):
        guard !afterValue else { throw fault(.unexpectedByte) }
        try skipBrokenString()
        afterValue = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard !afterValue else { throw fault(.unexpectedByte) }
        depth += 1
        index += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 {
          guard next == UInt8(ascii: "]") else { throw fault(.unexpectedByte) }
          return
        }
        depth -= 1
        index += 1
        afterValue = true
      case UInt8(ascii: ","):
        if depth == 0 { return }
        index += 1
        afterValue = false
      case UInt8(ascii: ":"):
        index += 1
        afterValue = false
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      default:
        // A word or a number, however wrong: NaN, 01, True.
        guard !afterValue else { throw fault(.unexpectedByte) }
        skipWord()
        afterValue = true
      }
    }
    throw fault(.unexpectedEnd)
  }

  private mutating func skipWord() {
    while index < end {
      switch byte(at: index) {
      case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "}"), UInt8(ascii: "]"),
        UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
        return
      default: advance()
      }
    }
  }

  /// To the closing quote, whatever comes before it.
  private mutating func skipBrokenString() throws(Fault) {
    advance()
    while index < end {
      switch byte(at: index) {
      case UInt8(ascii: "\""):
        advance()
        return
      case UInt8(ascii: "\\") where index + 1 < end:
        advance()
        advance()
      default: advance()
      }
    }
    throw fault(.unexpectedEnd)
  }
}
