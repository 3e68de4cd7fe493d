import BoxEvents
internal import Logging

/// A log event as one line for people: `stream: sentence: detail. Hint. (key=value, key=value)`.
///
///     default: cannot get events: Box answered 503. Wait, or see status.box.com. (request_id=abc, status=503)
///
/// The sentence is constant, so that the same thing always reads the same; everything that varies is
/// metadata. Four keys have a place of their own: `stream` before the sentence, `detail` and `hint` after it, and
/// `message_id` nowhere, since it is for machines.
struct LogText: Hashable, Sendable, CustomStringConvertible {
  let description: String

  init(_ sentence: Logger.Message, metadata: Logger.Metadata) {
    var text = metadata["stream"].map { "\(Self.escaped($0.description)): " } ?? ""
    text += Self.escaped(sentence.description)
    for (separator, key) in [(": ", "detail"), (". ", "hint")] {
      if let value = metadata[key] { text += separator + Self.escaped(value.description) }
    }
    description = text + Self.list(metadata)
  }

  /// Longest value in bytes. A page of HTML from a gateway must not fill the journal.
  private static let longestValue = 4096

  static func escaped(_ text: String) -> String { PlainText.escaped(text, limit: longestValue) }

  private static let placed: Set<String> = ["stream", "detail", "hint", MessageID.metadataKey]

  /// The other keys, in order of name: ` (position=7, status=503)`, or nothing.
  private static func list(_ metadata: Logger.Metadata) -> String {
    let pairs = metadata.filter { !placed.contains($0.key) }.sorted { $0.key < $1.key }
    guard !pairs.isEmpty else { return "" }
    let texts = pairs.map { "\(Self.escaped($0.key))=\(quotingIfNeeded($0.value.description))" }
    return " (\(texts.joined(separator: ", ")))"
  }

  /// Quotes a value that could be taken for more than one.
  private static func quotingIfNeeded(_ value: String) -> String {
    let line = Self.escaped(value)
    let isAmbiguous = line.isEmpty || line.unicodeScalars.contains { " ,()=\"".unicodeScalars.contains($0) }
    guard isAmbiguous else { return line }
    return "\"" + line.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
      + "\""
  }
}
