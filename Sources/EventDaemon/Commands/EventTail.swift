import BoxEvents
package import Spool

/// What `tail` prints of a stream: its events, filtered, one text each.
package struct EventTail: Sendable {
  package enum Output: String, Sendable, CaseIterable {
    /// The lines as they are in the spool.
    case json
    /// One short line each.
    case pretty
  }

  private var reader: SpoolReader
  private let filter: EventFilter
  private let output: Output
  private let isForTerminal: Bool

  /// - Parameter isForTerminal: control characters in the lines are escaped, which changes their bytes.
  package init(_ reader: SpoolReader, filter: EventFilter, output: Output, isForTerminal: Bool) {
    self.reader = reader
    self.filter = filter
    self.output = output
    self.isForTerminal = isForTerminal
  }

  /// Hands the text of every new event that passes the filter to `show`.
  /// - Parameter warn: gets a sentence where events are missing.
  /// - Returns: whether there were new events, shown or not.
  package mutating func read(
    warn: (String) -> Void = { _ in }, _ show: (String) -> Void
  ) throws(DaemonFailure) -> Bool {
    do throws(StoreFailure) {
      return try reader.read { ordinal, count in
        warn(
          "\(count.map { "\($0)" } ?? "an unknown number of") events before ordinal \(ordinal) are not shown: their "
            + "segments were deleted or compressed before they were read")
      } _: { [filter, output, isForTerminal] line in
        func json() -> String {
          let text = String(decoding: line, as: UTF8.self)
          return isForTerminal ? PlainText.escapedJSON(text) : text
        }
        if output == .json, filter.isOpen { return show(json()) }
        guard let event = EventText(line), filter.passes(event) else { return }
        show(output == .json ? json() : event.pretty)
      }
    } catch {
      throw DaemonFailure(error)
    }
  }
}

/// Which events `tail` shows.
package struct EventFilter: Sendable {
  /// Values of `event_type`, in upper case; empty for all.
  private let types: [String]
  /// Seconds since 1970.
  private let since: Double?

  package init(types: [String], since: Double?) {
    self.types = types.map { $0.uppercased() }
    self.since = since
  }

  /// Everything passes.
  var isOpen: Bool { types.isEmpty && since == nil }

  func passes(_ line: UnsafeRawBufferPointer) -> Bool { EventText(line).map { passes($0) } ?? false }

  func passes(_ event: EventText) -> Bool {
    if !types.isEmpty, !types.contains(event.type?.uppercased() ?? "") { return false }
    guard let since else { return true }
    // An event without a time may be new.
    return event.createdAt.map { $0 >= since } ?? true
  }

  /// Parses a `--since`: an RFC 3339 time, or how long ago, such as `10m`.
  /// - Parameter now: seconds since 1970.
  /// - Returns: seconds since 1970; nil for any other text.
  package static func since(_ text: String, now: Double) -> Double? {
    UTCDate(rfc3339: text).map { Double($0.secondsSince1970) }
      ?? Duration(configured: text).map { now - $0 / .seconds(1) }
  }
}

/// One event as `tail --output pretty` shows it, and the fields its filters use.
package struct EventText: Sendable {
  private let document: JSONDocument

  /// Nil if the line is not JSON.
  package init?(_ line: UnsafeRawBufferPointer) {
    guard let document = JSONDocument(Array(line)) else { return nil }
    self.document = document
  }

  var type: String? { document["event_type"].text }

  /// In seconds since 1970.
  var createdAt: Double? {
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
}
