public import BoxEvents

/// Makes text from the network fit for a log line: one line, bounded, nothing that steers a terminal.
public enum PlainText {
  /// What Box says goes into messages up to this many characters.
  static let maximumLength = 200

  /// `text` with control characters, line separators and bidirectional controls written as `\u{202E}`.
  public static func escaped(_ text: some StringProtocol) -> String {
    guard text.unicodeScalars.contains(where: isUnfit) else { return String(text) }
    var result = ""
    for scalar in text.unicodeScalars {
      if isUnfit(scalar) {
        result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A short, harmless excerpt of what a server said.
  /// - Parameter secrets: what was sent with the request. Some gateways echo requests, so their
  ///   text, plain or form-encoded, is replaced by `<redacted>` before anything is cut off.
  public static func excerpt(_ text: String, hiding secrets: [Secret<String>] = []) -> String {
    var text = text
    for secret in secrets where !secret.reveal().isEmpty {
      text = text.replacing(secret.reveal(), with: "<redacted>")
      text = text.replacing(FormEncoding.escaped(secret.reveal()), with: "<redacted>")
    }
    let short = text.prefix(maximumLength)
    return escaped(short) + (short.endIndex < text.endIndex ? "…" : "")
  }

  private static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: true  // C0, DEL, C1
    case 0x2028, 0x2029: true  // line and paragraph separators
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true  // bidirectional controls
    case 0xFEFF, 0xFFF9...0xFFFB: true
    default: false
    }
  }
}
