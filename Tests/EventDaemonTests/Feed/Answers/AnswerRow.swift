import BoxEvents
import ScriptedHTTP
import Testing

@testable import EventDaemon

/// One unusual answer of Box, and all its consequences.
///
/// The stream is at position 1000 when the answer comes. From then on the server behaves: it serves the
/// three events of ``AnswerScript/goodLines`` after any position before 2000.
struct AnswerRow: Sendable, CustomTestStringConvertible {
  /// Which of the stream's calls is answered oddly.
  enum Call: Sendable {
    /// `GET /events` from position 1000.
    case read
    /// `OPTIONS /events`, once the stream is caught up.
    case subscribe
    /// The long poll.
    case poll
  }

  let name: String
  let call: Call
  /// One after the other, before the server behaves. `$SELF` and `$FOREIGN` in them are the origins of this
  /// server and of one that must never get a request.
  let replies: [Reply]

  // MARK: Expected consequences

  /// The lines that the unusual answers add to the spool.
  var spooled: [String] = []
  /// Why entries of theirs are in quarantine.
  var quarantined: [String] = []
  /// The position in the position file when the stream reads again …
  var saved = "1000"
  /// … and the position it reads from, with its limit.
  var asks = "1000"
  var limit = 500
  /// Its state while it waits in between; nil if it reads on at once.
  var state: StreamState?
  var waits: ClosedRange<Duration>?
  /// A part of the status' error and of a log line; nil for no error.
  var reports: String?
  /// A part of a log line without an error in the status.
  var logs: String?
  /// How often OPTIONS is called, how often the first server is polled, and for how long at most.
  var subscriptions: Int?
  var polls: Int?
  var pollTimeout: Duration?

  // MARK: Circumstances

  /// How long a poll takes before it is answered, by the stream's clock.
  var pollLasts = Duration.seconds(31)
  /// `max_page`, bytes.
  var maximumPage = 64 << 20

  init(_ name: String, _ call: Call, _ replies: Reply..., adjust: (inout AnswerRow) -> Void = { _ in }) {
    self.name = name
    self.call = call
    self.replies = replies
    adjust(&self)
  }

  /// The same answer several times.
  init(
    _ name: String, _ call: Call, times: Int, _ reply: Reply, adjust: (inout AnswerRow) -> Void = { _ in }
  ) {
    self.name = name
    self.call = call
    self.replies = Array(repeating: reply, count: times)
    adjust(&self)
  }

  var testDescription: String { "\(call): \(name)" }
}

extension AnswerRow {
  /// The event that most unusual pages hold besides what is unusual.
  static let event = #"{"event_id":"odd-1"}"#

  static func page(_ entries: String, next: String = "1500") -> Reply {
    .answer(200, #"{"entries":[\#(entries)],"next_stream_position":\#(next)}"#)
  }

  static func page(bytes parts: [UInt8]..., next: String = "1500") -> Reply {
    let entries = parts.flatMap { $0 }
    return .answer(
      bytes: Array(#"{"entries":["#.utf8) + entries + Array(#"],"next_stream_position":\#(next)}"#.utf8))
  }

  /// The answer is read like any other: its events are spooled, and reading goes on after them.
  mutating func isRead(_ lines: String..., quarantined reasons: [String] = [], to position: String = "1500") {
    spooled = lines
    quarantined = reasons
    (saved, asks) = (position, position)
    if !reasons.isEmpty { logs = "entry quarantined" }
  }

  /// Nothing is taken from the answer: the stream reports it and asks again.
  mutating func isRefused(_ text: String, in state: StreamState = .waiting, limit: Int = 500) {
    reports = text
    self.state = state
    self.limit = limit
  }

  static let realtimeURL = "$SELF/subscribe?channel=CANARY-channel&stream_type=all"

  /// An answer to OPTIONS with one server.
  /// - Parameter members: more members of the server: `,"ttl":10`.
  static func server(_ url: String, _ members: String = "") -> Reply {
    servers(#"{"type":"realtime_server","url":"\#(url)"\#(members)}"#)
  }

  /// An answer to OPTIONS. It ends with the connection, since the length of what replaces `$SELF` is not
  /// known.
  static func servers(_ entries: String) -> Reply {
    Reply(
      .send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + #"{"chunk_size":1,"entries":[\#(entries)]}"#),
      .close)
  }
}
