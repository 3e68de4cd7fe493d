/// A small JSON answer, read without decoding: OPTIONS, poll replies, error bodies.
///
/// A lookup of a missing member, or in another kind of value, gives nothing rather than an error: Box's
/// types flip between number and string, and any member may be missing.
package struct JSONDocument: Sendable {
  private let bytes: [UInt8]
  /// Empty for a missing value.
  private let range: Range<Int>

  /// Nil if the bytes are not one valid JSON value.
  package init?(_ bytes: [UInt8]) {
    let range: Range<Int>? = bytes.withUnsafeBytes { buffer in
      var scanner = JSONScanner(buffer)
      _ = scanner.peek()
      let start = scanner.index
      guard (try? scanner.skipValue()) != nil else { return nil }
      let end = scanner.index
      return scanner.peek() == 0 && scanner.index == buffer.count ? start..<end : nil
    }
    guard let range else { return nil }
    self.bytes = bytes
    self.range = range
  }

  private init(bytes: [UInt8], range: Range<Int>) {
    self.bytes = bytes
    self.range = range
  }

  /// A member of an object; of several with the same key the last.
  package subscript(key: String) -> JSONDocument {
    let found: Range<Int>? = bytes.withUnsafeBytes { buffer in
      guard !range.isEmpty, buffer[range.lowerBound] == UInt8(ascii: "{") else { return nil }
      var scanner = JSONScanner(buffer, from: range.lowerBound)
      var found: Int?
      try? scanner.skipValue { name, escaped, value throws(JSONScanner.Fault) in
        if JSONText.contents(buffer, name, escaped: escaped) == key { found = value }
      }
      guard let start = found else { return nil }
      scanner.index = start
      return (try? scanner.skipValue()).map { start..<scanner.index }
    }
    return JSONDocument(bytes: bytes, range: found ?? 0..<0)
  }

  /// The elements of an array; empty for anything else.
  package var elements: [JSONDocument] {
    bytes.withUnsafeBytes { buffer in
      guard !range.isEmpty, buffer[range.lowerBound] == UInt8(ascii: "[") else { return [] }
      var scanner = JSONScanner(buffer, from: range.lowerBound)
      scanner.advance()
      var found: [JSONDocument] = []
      while scanner.peek() != UInt8(ascii: "]") {
        let start = scanner.index
        guard (try? scanner.skipValue()) != nil else { return found }
        found.append(JSONDocument(bytes: bytes, range: start..<scanner.index))
        if scanner.peek() == UInt8(ascii: ",") { scanner.advance() }
      }
      return found
    }
  }

  /// The text of a string, or of a number as it was written; nil for anything else.
  package var text: String? { range.isEmpty ? nil : bytes.withUnsafeBytes { JSONText.scalar($0, range) } }

  /// A whole number, written as number or string, if it lies within `bounds`.
  package func integer(in bounds: ClosedRange<Int>) -> Int? {
    text.flatMap { Int($0) }.flatMap { bounds.contains($0) ? $0 : nil }
  }
}
