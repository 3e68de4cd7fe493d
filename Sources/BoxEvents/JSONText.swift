/// Small readings of JSON text that ``JSONScanner`` has already proven valid.
enum JSONText {
  /// Whether the bytes at `offset` are `literal`.
  @inline(__always)
  static func matches(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ literal: StaticString) -> Bool {
    (0..<literal.utf8CodeUnitCount).allSatisfy { bytes[offset + $0] == literal.utf8Start[$0] }
  }

  /// A string's contents with its escapes resolved.
  static func contents(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, escaped: Bool) -> String {
    let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
    return String(decoding: escaped ? unescaped(raw) : Array(raw), as: UTF8.self)
  }

  /// The text of a string or number value; nil for any other value.
  static func scalar(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String? {
    switch bytes[range.lowerBound] {
    case UInt8(ascii: "\""): contents(bytes, range.dropFirst().dropLast(), escaped: true)
    case UInt8(ascii: "-"), 0x30...0x39: contents(bytes, range, escaped: false)
    default: nil
    }
  }

  /// The range of a value that can serve as an event's id: a number or a string that isn't empty.
  static func identifier(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Range<Int>? {
    switch bytes[start] {
    case UInt8(ascii: "\""):
      let end = endOfString(bytes, at: start)
      return end - start > 2 ? start..<end : nil
    case UInt8(ascii: "-"), 0x30...0x39:
      let rest = bytes[start...]
      return start..<(rest.firstIndex { !(0x30...0x39 ~= $0 || "-+.eE".utf8.contains($0)) } ?? rest.endIndex)
    default: return nil
    }
  }

  /// The contents of a string without escapes.
  static func plainString(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Range<Int>? {
    guard bytes[start] == UInt8(ascii: "\"") else { return nil }
    let contents = (start + 1)..<(endOfString(bytes, at: start) - 1)
    return bytes[contents].contains(UInt8(ascii: "\\")) ? nil : contents
  }

  /// The hash of an id found by ``identifier(_:at:)``.
  static func identity(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> EventIdentity {
    guard bytes[range.lowerBound] == UInt8(ascii: "\"") else {
      return EventIdentity(id: UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
    let contents = UnsafeRawBufferPointer(rebasing: bytes[range.dropFirst().dropLast()])
    guard contents.contains(UInt8(ascii: "\\")) else { return EventIdentity(id: contents) }
    return unescaped(contents).withUnsafeBytes { EventIdentity(id: $0) }
  }

  /// A valid JSON value without the white space between its tokens.
  static func withoutSpace(_ value: UnsafeRawBufferPointer) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(value.count)
    var inString = false
    var index = 0
    while index < value.count {
      let byte = value[index]
      if inString {
        line.append(byte)
        if byte == UInt8(ascii: "\\") {
          index += 1
          line.append(value[index])
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
      } else if byte > 0x20 {
        line.append(byte)
        inString = byte == UInt8(ascii: "\"")
      }
      index += 1
    }
    return line
  }

  private static func endOfString(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Int {
    var index = start + 1
    while bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
    return index + 1
  }

  /// Resolves the escapes of a valid string. A surrogate without its partner stays as three bytes,
  /// so that different texts stay different.
  private static func unescaped(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      guard text[index] == UInt8(ascii: "\\") else {
        result.append(text[index])
        index += 1
        continue
      }
      switch text[index + 1] {
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"):
        var code = codeUnit(text, index + 2)
        if 0xD800...0xDBFF ~= code, index + 12 <= text.count, text[index + 6] == UInt8(ascii: "\\"),
          text[index + 7] == UInt8(ascii: "u"), 0xDC00...0xDFFF ~= codeUnit(text, index + 8)
        {
          code = 0x10000 + (code - 0xD800) << 10 + (codeUnit(text, index + 8) - 0xDC00)
          index += 6
        }
        appendUTF8(code, to: &result)
        index += 4
      case let other: result.append(other)
      }
      index += 2
    }
    return result
  }

  private static func codeUnit(_ text: UnsafeRawBufferPointer, _ start: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 4 | UInt32(Hexadecimal.value(of: text[start + $1]) ?? 0) }
  }

  private static func appendUTF8(_ code: UInt32, to result: inout [UInt8]) {
    if let scalar = Unicode.Scalar(code) {
      result.append(contentsOf: scalar.utf8)
    } else {
      // A surrogate, which has no UTF-8 of its own.
      result += [UInt8(0xE0 | code >> 12), UInt8(0x80 | code >> 6 & 0x3F), UInt8(0x80 | code & 0x3F)]
    }
  }
}
