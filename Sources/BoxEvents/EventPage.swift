/// One answer of `GET /events`, sliced: each event's bytes and identity, and the next position.
///
/// The page is read once, without building a tree. An event is any JSON object among the entries; its bytes
/// stay as Box sent them. Anything else is a ``Reject``, which never costs the page its other events.
///
/// Beside the answer, a page takes up to three times its size where every event is rewritten, and 200 bytes for each
/// of at most 1100 entries.
package struct EventPage: Sendable {
  /// One event of the page.
  package struct Event: Hashable, Sendable {
    /// Its line, without a newline, in ``EventPage/bytes``.
    package var range: Range<Int>
    package var identity: EventIdentity
    /// The contents of its `created_at` in ``EventPage/bytes``; empty where it is missing.
    package var createdAt: Range<Int>
  }

  /// An entry that is not an event.
  package struct Reject: Hashable, Sendable {
    /// Its bytes in ``EventPage/bytes``.
    package var range: Range<Int>
    /// Why, for the operator: `not an object`.
    package var reason: String
    /// The hash of its bytes, to know it again.
    package var identity: EventIdentity
  }

  /// The answer's bytes, followed by the lines of events that could not stay as they were sent
  /// because a line break stood between their tokens.
  package private(set) var bytes: [UInt8]
  /// In the order served.
  package private(set) var events: [Event] = []
  package private(set) var rejects: [Reject] = []
  /// Nil where the answer's is missing or not a position to go on from: `0`, `-1`, `now`, a fraction.
  package private(set) var nextPosition: StreamPosition?
  /// Where its value is in ``EventPage/bytes``; nil where it is missing.
  private var positionValue: Range<Int>?

  /// What the answer has for a position, as it was sent: `null`, `"now"`; cut after 40 bytes.
  package var positionText: String {
    guard let positionValue else { return "missing" }
    return PlainText.escaped(String(decoding: bytes[positionValue].prefix(100), as: UTF8.self), limit: 40)
  }

  /// How many entries Box sent, of whatever kind. Box's `chunk_size` may differ.
  package var entryCount: Int { events.count + rejects.count }

  /// Why an answer is not a page.
  package struct Unreadable: Error, Hashable, Sendable {
    /// For the operator: `a string is not UTF-8, at byte 1200 of 81922`.
    package var message: String
    /// The answer doesn't begin like JSON at all: a gateway's HTML, an empty body. Asking for
    /// fewer events would not help.
    package var isForeign: Bool
    package var hint: String?
  }

  /// How many entries the answer to a read with that limit may have. Box keeps to its limit; a server that doesn't may
  /// serve more known events than the store remembers, or millions of `{}` that each take memory.
  package static func maximumEntries(limit: Int) -> Int { 2 * limit + 100 }

  /// Slices a page.
  /// - Parameters:
  ///   - body: the answer, decompressed.
  ///   - limit: how many events were asked for.
  package init(parsing body: [UInt8], limit: Int = ReadRequest.maximumLimit) throws(Unreadable) {
    bytes = body
    var parser = Parser(maximumEntries: Self.maximumEntries(limit: limit))
    do throws(JSONScanner.Fault) {
      try body.withUnsafeBufferPointer { buffer throws(JSONScanner.Fault) in
        try parser.parse(UnsafeRawBufferPointer(buffer))
      }
    } catch {
      throw Unreadable(
        message: "\(error.reason.rawValue), at byte \(error.offset) of \(body.count)",
        isForeign: body.first { $0 > 0x20 } != UInt8(ascii: "{"),
        hint: error.reason == .tooManyEntries
          ? "Box keeps to the limit of a read: check api_url and the proxy in [box], and what else changes its answers."
          : nil)
    }
    guard parser.hasEntries else {
      throw Unreadable(message: "a JSON object without entries", isForeign: !parser.isPage)
    }
    events = parser.events
    rejects = parser.rejects
    (nextPosition, positionValue) = (parser.nextPosition, parser.positionValue)
    if !parser.rewritten.isEmpty { bytes.append(contentsOf: parser.rewritten) }
  }

  /// A page made of lines, for tests and tools; lines that are not events become rejects.
  package init(lines: [[UInt8]], nextPosition: StreamPosition?) throws(Unreadable) {
    let entries = lines.joined(separator: [UInt8(ascii: ",")])
    let next = nextPosition.map { #","next_stream_position":"\#($0)""# } ?? ""
    try self.init(
      parsing: Array(#"{"entries":["#.utf8) + entries + Array("]\(next)}".utf8), limit: lines.count)
  }
}

extension EventPage {
  /// The state of one pass over a page.
  private struct Parser {
    let maximumEntries: Int
    var events: [Event] = []
    var rejects: [Reject] = []
    var nextPosition: StreamPosition?
    var positionValue: Range<Int>?
    /// Lines that had to be written anew; they go after the body.
    var rewritten: [UInt8] = []
    /// The answer has at least one member of a page.
    var isPage = false
    /// One of them is a list of entries, even an empty one. A position without it would be followed past events that
    /// were never served.
    var hasEntries = false

    init(maximumEntries: Int) { self.maximumEntries = maximumEntries }

    mutating func parse(_ body: UnsafeRawBufferPointer) throws(JSONScanner.Fault) {
      var scanner = JSONScanner(body)
      try scanner.expect(UInt8(ascii: "{"))
      if scanner.peek() == UInt8(ascii: "}") {
        scanner.advance()
      } else {
        repeat { try member(&scanner) } while try scanner.goesOn(until: UInt8(ascii: "}"))
      }
      guard scanner.peek() == 0, scanner.index == body.count else { throw scanner.fault(.unexpectedByte) }
    }

    /// One member of the page. Entries in several `entries` members are all taken; of several
    /// positions the last counts, as it does in common JSON parsers.
    private mutating func member(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
      guard scanner.peek() == UInt8(ascii: "\"") else { throw scanner.fault(.unexpectedByte) }
      let start = scanner.index + 1
      let escaped = try scanner.skipString()
      let key = JSONText.contents(scanner.bytes, start..<(scanner.index - 1), escaped: escaped)
      try scanner.expect(UInt8(ascii: ":"))
      if key == "entries" {
        try entries(&scanner)
      } else {
        _ = scanner.peek()
        let start = scanner.index
        try scanner.skipValue()
        if key == "next_stream_position" {
          let value = start..<scanner.index
          nextPosition = JSONText.scalar(scanner.bytes, value).flatMap { StreamPosition($0) }
          positionValue = value
        }
      }
      isPage = isPage || ["entries", "next_stream_position", "chunk_size"].contains(key)
    }

    /// A null is skipped, as if it were missing; with any other value the answer is not a page.
    private mutating func entries(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
      switch scanner.peek() {
      case UInt8(ascii: "["): scanner.advance()
      case UInt8(ascii: "n"): return try scanner.skipValue()
      default: throw scanner.fault(.unexpectedByte)
      }
      hasEntries = true
      if scanner.peek() == UInt8(ascii: "]") { return scanner.advance() }
      repeat {
        guard events.count + rejects.count < maximumEntries else {
          throw JSONScanner.Fault(reason: .tooManyEntries, offset: scanner.index)
        }
        try entry(&scanner)
      } while try scanner.goesOn(until: UInt8(ascii: "]"))
    }

    private mutating func entry(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
      let body = scanner.bytes
      let first = scanner.peek()
      let start = scanner.index
      scanner.sawLineBreak = false
      var before = scanner
      do throws(JSONScanner.Fault) {
        let members = try EventMembers(&scanner)
        guard first == UInt8(ascii: "{") else { return reject(body, start..<scanner.index, "not an object") }
        take(members, start..<scanner.index, body, rewriting: scanner.sawLineBreak)
      } catch {
        try before.skipBrokenElement()
        scanner = before
        // White space at its end is not part of the entry. Between two adjacent commas the entry is empty.
        let last = body[start..<scanner.index].lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        reject(body, start..<(last.map { $0 + 1 } ?? start), error.reason.rawValue)
      }
    }

    private mutating func take(
      _ members: EventMembers, _ range: Range<Int>, _ body: UnsafeRawBufferPointer, rewriting: Bool
    ) {
      let sent = UnsafeRawBufferPointer(rebasing: body[range])
      let identity = members.id.map { JSONText.identity(body, $0) }
      if rewriting {
        let line = JSONText.withoutSpace(sent)
        let start = body.count + rewritten.count
        rewritten += line
        let lineIdentity = identity ?? line.withUnsafeBytes { EventIdentity(line: $0) }
        events.append(
          Event(range: start..<(start + line.count), identity: lineIdentity, createdAt: start..<start))
      } else {
        let createdAt = members.createdAt ?? range.lowerBound..<range.lowerBound
        events.append(
          Event(range: range, identity: identity ?? EventIdentity(line: sent), createdAt: createdAt))
      }
    }

    private mutating func reject(_ body: UnsafeRawBufferPointer, _ range: Range<Int>, _ reason: String) {
      let identity = EventIdentity(line: UnsafeRawBufferPointer(rebasing: body[range]))
      rejects.append(Reject(range: range, reason: reason, identity: identity))
    }
  }
}

/// The members of an event that the daemon reads; the rest is only validated.
struct EventMembers {
  /// The value of `event_id` as it is written, if it is a non-empty string or a number.
  /// Where the key comes twice, the last counts, as in common JSON parsers.
  var id: Range<Int>?
  /// The contents of `created_at`, if it is a string without escapes.
  var createdAt: Range<Int>?

  /// Skips one value, taking note of these members if it is an object.
  init(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
    let bytes = scanner.bytes
    var idStart: Int?
    var createdAtStart: Int?
    try scanner.skipValue { key, escaped, value throws(JSONScanner.Fault) in
      // The two keys have 8 and 10 bytes; an escape makes a key longer.
      if escaped {
        switch JSONText.contents(bytes, key, escaped: true) {
        case "event_id": idStart = value
        case "created_at": createdAtStart = value
        default: break
        }
      } else if key.count == 8, JSONText.matches(bytes, key.lowerBound, "event_id") {
        idStart = value
      } else if key.count == 10, JSONText.matches(bytes, key.lowerBound, "created_at") {
        createdAtStart = value
      }
    }
    id = idStart.flatMap { JSONText.identifier(bytes, at: $0) }
    createdAt = createdAtStart.flatMap { JSONText.plainString(bytes, at: $0) }
  }
}

extension JSONScanner {
  /// After an element: consumes `,` (true) or the closing bracket (false).
  fileprivate mutating func goesOn(until close: UInt8) throws(Fault) -> Bool {
    let next = peek()
    guard next == UInt8(ascii: ",") || next == close else { throw fault(.unexpectedByte) }
    advance()
    return next != close
  }
}
