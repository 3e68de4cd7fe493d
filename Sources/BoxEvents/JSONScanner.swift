/// Walks over JSON text (RFC 8259) without building anything: it validates, and reports where values are.
///
/// Strings are checked eight bytes at a time; everything is read once. The scanner never reads past
/// `end`, never recurses, and bounds the depth it follows.
struct JSONScanner {
  /// What is wrong with a text, and where.
  struct Fault: Error, Hashable {
    enum Reason: String, Hashable, Sendable {
      case unexpectedByte = "an unexpected byte"
      case unexpectedEnd = "the text ends too early"
      case invalidUTF8 = "a string is not UTF-8"
      case controlCharacter = "a string has an unescaped control character"
      case badEscape = "a string has an unknown escape"
      case badNumber = "a malformed number"
      case tooDeep = "nested too deeply"
      case tooManyEntries = "many more entries than were asked for"
    }
    var reason: Reason
    var offset: Int
  }

  /// As deep as Foundation's JSON parser goes; Box's events are 4 deep.
  static let maximumDepth = 512

  let bytes: UnsafeRawBufferPointer
  let end: Int
  var index: Int
  /// A line break stood between two tokens since this was last set to false.
  var sawLineBreak = false
  /// For each open container of the value being skipped, whether it is an object.
  private var containers: [Bool]

  init(_ bytes: UnsafeRawBufferPointer, from start: Int = 0) {
    self.bytes = bytes
    self.end = bytes.count
    self.index = start
    self.containers = [Bool](repeating: false, count: Self.maximumDepth)
  }

  // MARK: Tokens

  @inline(__always)
  func byte(at offset: Int) -> UInt8 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt8.self) }

  func fault(_ reason: Fault.Reason) -> Fault {
    Fault(reason: index < end ? reason : .unexpectedEnd, offset: index)
  }

  /// Moves to the next token and returns its first byte without consuming it; 0 at the end.
  @inline(__always)
  mutating func peek() -> UInt8 {
    while index < end {
      let next = byte(at: index)
      if next > 0x20 { return next }
      switch next {
      case 0x20, 0x09: break
      case 0x0A, 0x0D: sawLineBreak = true
      default: return next == 0 ? 1 : next  // a control character: never a token
      }
      index += 1
    }
    return 0
  }

  @inline(__always)
  mutating func expect(_ wanted: UInt8) throws(Fault) {
    guard peek() == wanted else { throw fault(.unexpectedByte) }
    index += 1
  }

  /// Consumes one byte that ``peek()`` has shown.
  @inline(__always)
  mutating func advance() { index += 1 }

  // MARK: Values

  /// Skips a value and validates it. The index is then after its last byte.
  mutating func skipValue() throws(Fault) { try skipValue { _, _, _ throws(Fault) in } }

  /// Skips a value, and hands each of its own members, if it is an object, to `member`: the key's contents,
  /// whether the key has escapes, and where the member's value starts.
  @inline(__always)
  mutating func skipValue(
    member: (_ key: Range<Int>, _ escaped: Bool, _ value: Int) throws(Fault) -> Void
  ) throws(Fault) {
    var depth = 0
    while true {
      // One value starts here.
      switch peek() {
      case let open where open == UInt8(ascii: "{") || open == UInt8(ascii: "["):
        guard depth < Self.maximumDepth else { throw Fault(reason: .tooDeep, offset: index) }
        let isObject = open == UInt8(ascii: "{")
        index += 1
        if peek() == Self.closing(isObject) {
          index += 1
          break
        }
        containers[depth] = isObject
        depth += 1
        if isObject { try key(depth: depth, member: member) }
        continue
      case UInt8(ascii: "\""): _ = try skipString()
      case UInt8(ascii: "t"): try skipLiteral("true")
      case UInt8(ascii: "f"): try skipLiteral("false")
      case UInt8(ascii: "n"): try skipLiteral("null")
      case UInt8(ascii: "-"), 0x30...0x39: try skipNumber()
      default: throw fault(.unexpectedByte)
      }
      // One value has ended: close what ends with it, or go on to the next.
      closing: while true {
        if depth == 0 { return }
        let isObject = containers[depth - 1]
        switch peek() {
        case UInt8(ascii: ","):
          index += 1
          if isObject { try key(depth: depth, member: member) }
          break closing
        case Self.closing(isObject):
          index += 1
          depth -= 1
        default: throw fault(.unexpectedByte)
        }
      }
    }
  }

  @inline(__always)
  private static func closing(_ isObject: Bool) -> UInt8 { UInt8(ascii: isObject ? "}" : "]") }

  @inline(__always)
  private mutating func key(depth: Int, member: (Range<Int>, Bool, Int) throws(Fault) -> Void) throws(Fault) {
    guard peek() == UInt8(ascii: "\"") else { throw fault(.unexpectedByte) }
    let start = index + 1
    let escaped = try skipString()
    let range = start..<(index - 1)
    try expect(UInt8(ascii: ":"))
    if depth == 1 {
      _ = peek()
      try member(range, escaped, index)
    }
  }

  /// Skips a string, the index on its opening quote; returns whether it has escapes.
  @inline(__always)
  mutating func skipString() throws(Fault) -> Bool {
    index += 1
    var escaped = false
    while true {
      // Eight bytes at a time while none of them is a quote, a backslash, a control character or
      // outside ASCII. The lowest bit found is exact: a borrow can only disturb bytes above it.
      while index &+ 8 <= end {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let quote = word ^ 0x2222_2222_2222_2222
        let slash = word ^ 0x5C5C_5C5C_5C5C_5C5C
        let found =
          ((quote &- 0x0101_0101_0101_0101) & ~quote) | ((slash &- 0x0101_0101_0101_0101) & ~slash)
          | ((word &- 0x2020_2020_2020_2020) & ~word) | word
        let mask = found & 0x8080_8080_8080_8080
        if mask == 0 {
          index &+= 8
        } else {
          index &+= mask.trailingZeroBitCount >> 3
          break
        }
      }
      guard index < end else { throw fault(.unexpectedEnd) }
      let next = byte(at: index)
      switch next {
      case UInt8(ascii: "\""):
        index += 1
        return escaped
      case UInt8(ascii: "\\"):
        escaped = true
        try skipEscape()
      case 0..<0x20: throw fault(.controlCharacter)
      case 0x80...: try skipMultibyte(next)
      default: index += 1
      }
    }
  }

  /// Throws if fewer bytes are left.
  private func require(_ count: Int) throws(Fault) {
    if index + count > end { throw Fault(reason: .unexpectedEnd, offset: end) }
  }

  private mutating func skipEscape() throws(Fault) {
    try require(2)
    switch byte(at: index + 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      index += 2
    case UInt8(ascii: "u"):
      for offset in 2..<6 {
        try require(offset + 1)
        guard Hexadecimal.value(of: byte(at: index + offset)) != nil else { throw fault(.badEscape) }
      }
      index += 6
    default: throw fault(.badEscape)
    }
  }

  /// Well-formed byte sequences as in the Unicode Standard, table 3-7.
  private mutating func skipMultibyte(_ first: UInt8) throws(Fault) {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: throw fault(.invalidUTF8)
    }
    try require(length)
    guard second.contains(byte(at: index + 1)) else { throw fault(.invalidUTF8) }
    for offset in 2..<max(2, length) where byte(at: index + offset) & 0xC0 != 0x80 {
      throw fault(.invalidUTF8)
    }
    index += length
  }

  private mutating func skipLiteral(_ literal: StaticString) throws(Fault) {
    let length = literal.utf8CodeUnitCount
    try require(length)
    guard JSONText.matches(bytes, index, literal) else { throw fault(.unexpectedByte) }
    index += length
  }

  private mutating func skipNumber() throws(Fault) {
    if byte(at: index) == UInt8(ascii: "-") { index += 1 }
    guard index < end else { throw fault(.unexpectedEnd) }
    if byte(at: index) == UInt8(ascii: "0") {
      index += 1
    } else {
      try skipDigits()
    }
    if index < end, byte(at: index) == UInt8(ascii: ".") {
      index += 1
      try skipDigits()
    }
    if index < end, byte(at: index) | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < end, byte(at: index) == UInt8(ascii: "+") || byte(at: index) == UInt8(ascii: "-") {
        index += 1
      }
      try skipDigits()
    }
    // `01` and `1x` are not numbers followed by something: nothing may follow a number directly.
    if index < end {
      switch byte(at: index) {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "_"):
        throw fault(.badNumber)
      default: break
      }
    }
  }

  private mutating func skipDigits() throws(Fault) {
    let start = index
    while index < end, case 0x30...0x39 = byte(at: index) { index += 1 }
    if index == start { throw fault(.badNumber) }
  }
}
