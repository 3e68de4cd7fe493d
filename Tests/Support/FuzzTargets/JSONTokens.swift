/// A text cut at the borders of strings, numbers and everything else: enough to take the disputed parts out of
/// nearly valid JSON.
struct JSONTokens {
  private(set) var tokens: [[UInt8]] = []

  init(_ text: [UInt8]) {
    var index = 0
    while index < text.count {
      let start = index
      switch text[index] {
      case UInt8(ascii: "\""): index = Self.endOfString(text, from: index)
      case UInt8(ascii: "-"), 0x30...0x39: index = Self.endOfNumber(text, from: index)
      default: index += 1
      }
      tokens.append(Array(text[start..<index]))
    }
  }

  var text: [UInt8] { tokens.flatMap { $0 } }

  /// Takes away commas that only white space separates from the closing bracket behind them. Returns whether
  /// there was one.
  mutating func removeTrailingCommas() -> Bool {
    var kept: [[UInt8]] = []
    for token in tokens {
      if token == [UInt8(ascii: "]")] || token == [UInt8(ascii: "}")] {
        let last = kept.lastIndex { !$0.allSatisfy { $0 <= 0x20 } }
        if let last, kept[last] == [UInt8(ascii: ",")] { kept.remove(at: last) }
      }
      kept.append(token)
    }
    defer { tokens = kept }
    return kept.count < tokens.count
  }

  /// Puts an empty string for every string or number that is refused. Returns whether there was one.
  mutating func replaceValues(where isRefused: ([UInt8]) -> Bool) -> Bool {
    replace { token in
      guard let first = token.first,
        first == UInt8(ascii: "\"") || 0x30...0x39 ~= first || first == UInt8(ascii: "-")
      else { return nil }
      return isRefused(token) ? Array(#""""#.utf8) : nil
    }
  }

  /// A number as it is written.
  struct Number {
    var text: [UInt8]
    var value: Double

    private var mantissa: ArraySlice<UInt8> { text.prefix { $0 | 0x20 != UInt8(ascii: "e") } }

    /// Infinite as a Double, or 0 without saying so.
    var isOutOfRange: Bool { value.isInfinite || value == 0 && mantissa.contains { 0x31...0x39 ~= $0 } }
    /// Nothing but zeros before the exponent.
    var isZero: Bool { !mantissa.contains { 0x31...0x39 ~= $0 } }
  }

  /// Puts 0 for some numbers. Returns whether there was one.
  mutating func replaceNumbers(where isDisputed: (Number) -> Bool) -> Bool {
    replace { token in
      guard token.first != UInt8(ascii: "\""), token.contains(where: { 0x30...0x39 ~= $0 }),
        let value = Double(String(decoding: token, as: UTF8.self))
      else { return nil }
      return isDisputed(Number(text: token, value: value)) ? [UInt8(ascii: "0")] : nil
    }
  }

  /// Puts another escape for every surrogate without its partner. Returns whether there was one.
  mutating func replaceLoneSurrogates() -> Bool {
    replace { token in
      guard token.first == UInt8(ascii: "\"") else { return nil }
      let changed = Self.withoutLoneSurrogates(token)
      return changed == token ? nil : changed
    }
  }

  private mutating func replace(_ change: ([UInt8]) -> [UInt8]?) -> Bool {
    var isChanged = false
    for index in tokens.indices {
      guard let changed = change(tokens[index]) else { continue }
      tokens[index] = changed
      isChanged = true
    }
    return isChanged
  }

  private static func withoutLoneSurrogates(_ string: [UInt8]) -> [UInt8] {
    var changed = string
    var index = 0
    while index < changed.count {
      guard changed[index] == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      guard let unit = escapedUnit(changed, index) else {
        index += 2
        continue
      }
      if 0xD800...0xDBFF ~= unit, let next = escapedUnit(changed, index + 6), 0xDC00...0xDFFF ~= next {
        index += 12
        continue
      }
      if 0xD800...0xDFFF ~= unit {
        changed.replaceSubrange(index..<(index + 6), with: Array(#"\u0041"#.utf8))
      }
      index += 6
    }
    return changed
  }

  /// The code unit of a `\uXXXX` at an index.
  private static func escapedUnit(_ text: [UInt8], _ index: Int) -> UInt32? {
    guard index + 6 <= text.count, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u")
    else { return nil }
    return UInt32(String(decoding: text[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
  }

  private static func endOfString(_ text: [UInt8], from start: Int) -> Int {
    var index = start + 1
    while index < text.count, text[index] != UInt8(ascii: "\"") {
      index += text[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(text.count, index + 1)
  }

  private static func endOfNumber(_ text: [UInt8], from start: Int) -> Int {
    let isPart: (UInt8) -> Bool = { 0x30...0x39 ~= $0 || "+-.eE".utf8.contains($0) }
    return text[start...].firstIndex { !isPart($0) } ?? text.count
  }
}
