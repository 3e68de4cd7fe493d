package import BoxEvents

extension PlainText {
  /// What Box says goes into messages up to this many characters.
  static let maximumLength = 200

  /// A short, harmless excerpt of what a server said.
  /// - Parameter secrets: what was sent with the request. Some gateways echo requests, so their
  ///   text, plain or form-encoded, is replaced by `<redacted>` before anything is cut off.
  package static func excerpt(_ text: String, hiding secrets: [Secret<String>] = []) -> String {
    var text = text
    for secret in secrets where !secret.reveal().isEmpty {
      text = text.replacing(secret.reveal(), with: "<redacted>")
      text = text.replacing(FormEncoding.escaped(secret.reveal()), with: "<redacted>")
    }
    let short = text.prefix(maximumLength)
    return escaped(short) + (short.endIndex < text.endIndex ? "…" : "")
  }
}
