import BoxEvents

/// One event as `tail --output pretty` shows it, and what its filters look at.
package struct EventText: Sendable {
  private let document: JSONDocument

  /// Nil if the line is no JSON.
  package init?(_ line: UnsafeRawBufferPointer) {
    guard let document = JSONDocument(Array(line)) else { return nil }
    self.document = document
  }

  /// Its `event_type`.
  package var type: String? { document["event_type"].text }

  /// When it happened, seconds since 1970.
  package var createdAt: Double? {
    document["created_at"].text.flatMap { UTCDate(rfc3339: $0) }.map { Double($0.secondsSince1970) }
  }

  /// `2026-11-23T10:00:00-08:00  ITEM_UPLOAD  Jane Doe  file “a.pdf”`.
  package var pretty: String {
    let source = document["source"]
    let name = (source["name"].text ?? source["item_name"].text).map { "“\($0)”" }
    let what = [source["type"].text ?? source["item_type"].text, name].compactMap(\.self).joined(
      separator: " ")
    let who = document["created_by"]["name"].text ?? document["created_by"]["login"].text ?? "-"
    let columns = [document["created_at"].text ?? "-", type ?? "-", who, what.isEmpty ? "-" : what]
    return PlainText.escaped(columns.joined(separator: "  "))
  }

  /// Reads a `--since`: an RFC 3339 time, or how long ago, such as `10m`.
  /// - Parameter now: seconds since 1970.
  package static func since(_ text: String, now: Double) -> Double? {
    UTCDate(rfc3339: text).map { Double($0.secondsSince1970) }
      ?? Duration(configured: text).map { now - $0 / .seconds(1) }
  }
}
