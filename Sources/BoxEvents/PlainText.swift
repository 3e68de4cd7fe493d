/// Text from elsewhere, made safe for one line in the journal, on a terminal or in `systemctl status`.
///
/// What Box sends, and a file's name, may hold anything. A newline would forge a second line, an escape
/// sequence would control the terminal, and a bidirectional override would show one text and mean another
/// (Trojan Source, CVE-2021-42574).
package enum PlainText {
  /// Writes control characters, line separators and bidirectional controls as `\u{…}`. A backslash stays as
  /// it is: the text is never read back.
  /// - Parameter limit: in bytes; a longer text is cut there, with an ellipsis.
  package static func escaped(_ text: some StringProtocol, limit: Int = .max) -> String {
    // The common case: printable ASCII.
    if text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }), text.utf8.count <= limit { return String(text) }
    var line = ""
    var bytes = 0
    for scalar in text.unicodeScalars {
      let piece =
        isUnsafe(scalar) ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : String(scalar)
      bytes += piece.utf8.count
      guard bytes <= limit else { return line + "…" }
      line += piece
    }
    return line
  }

  /// JSON, made safe for a terminal: JSON allows DEL, C1 and bidirectional controls in its strings. They are written
  /// as `\u009b`, which JSON reads as the same text; a tab stays as it is.
  package static func escapedJSON(_ json: some StringProtocol) -> String {
    if json.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) { return String(json) }
    var line = ""
    for scalar in json.unicodeScalars {
      guard isUnsafe(scalar), scalar != "\t" else {
        line.unicodeScalars.append(scalar)
        continue
      }
      // None of them is above U+FFFF.
      line += "\\u" + Hexadecimal.text(of: [UInt8(scalar.value >> 8 & 0xFF), UInt8(scalar.value & 0xFF)])
    }
    return line
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1F, 0x7F...0x9F: true  // C0, DEL and C1 controls
    case 0x061C, 0x200E, 0x200F: true  // Arabic letter mark, left-to-right and right-to-left marks
    case 0x202A...0x202E, 0x2066...0x2069: true  // embeddings, overrides and isolates: UAX #9
    case 0x2028, 0x2029: true  // line and paragraph separator
    case 0xFEFF, 0xFFF9...0xFFFB: true  // byte order mark, interlinear annotations
    default: false
    }
  }
}

/// A value that never shows itself: it prints, dumps and mirrors as `<redacted>`.
package struct Secret<Value: Sendable>: Sendable {
  private let value: Value

  package init(_ value: Value) { self.value = value }

  /// The value itself, which must not reach a log, an error or a file.
  package func reveal() -> Value { value }
}

extension Secret: Equatable where Value: Equatable {}
extension Secret: Hashable where Value: Hashable {}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
