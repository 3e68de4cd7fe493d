import Crypto

/// Whose feed a position belongs to: it means nothing in another, so the position file has the ``digest``.
package struct FeedIdentity: Hashable, Sendable {
  /// Where the API is.
  package var api: WebURL.Origin
  /// Whom the token was asked for; nil for a token whose owner isn't configured.
  package var subject: Subject?
  /// The user of the `As-User` header.
  package var asUser: String?
  package var type: StreamType

  package init(api: WebURL.Origin, subject: Subject?, asUser: String?, type: StreamType) {
    self.api = api
    self.subject = subject
    self.asUser = asUser
    self.type = type
  }

  /// SHA-256 over the four parts, as 64 lower-case hexadecimal digits.
  package var digest: String {
    let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
    return Hexadecimal.text(of: SHA256.hash(data: Array(text.utf8)))
  }

  /// The four parts as text, empty where one isn't configured.
  package var parts: [String] { [api.description, subject?.description ?? "", asUser ?? "", type.rawValue] }

  /// Whether the parts of another identity differ from these only in what a stream alone configures. The API, and the
  /// subject where it is the one in [auth], change with a restart.
  package func isOfSameSource(as earlier: [String]) -> Bool { earlier.prefix(2) == parts.prefix(2) }

  /// What is different from the parts of another identity: `its subject was user:1 and is user:2`.
  package func changes(from earlier: [String]) -> String {
    zip(["API", "subject", "as_user", "type"], zip(earlier, parts)).filter { $1.0 != $1.1 }.map {
      name, part in
      let (then, now) = (part.0.isEmpty ? "not set" : part.0, part.1.isEmpty ? "not set" : part.1)
      return "its \(name) was \(then) and is \(now)"
    }.joined(separator: ", ")
  }
}

/// Whom a token is asked for: `user:123` or `enterprise:456`.
/// Source: <https://developer.box.com/reference/post-oauth2-token/>, `box_subject_type` and `box_subject_id`.
package struct Subject: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Hashable, Sendable {
    case user
    case enterprise
  }

  package let kind: Kind
  /// 1 to 20 ASCII digits.
  package let id: String

  /// Nil for anything but a kind, a colon and digits.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), Self.isID(parts[1]) else {
      return nil
    }
    self.kind = kind
    self.id = String(parts[1])
  }

  package var description: String { "\(kind.rawValue):\(id)" }

  /// Whether text is the number of a Box user or enterprise.
  package static func isID(_ text: some StringProtocol) -> Bool {
    1...20 ~= text.utf8.count && text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
  }
}

/// The kinds of stream Box offers. The raw value is Box's `stream_type`.
/// Source: <https://developer.box.com/reference/get-events/>, `stream_type`.
package enum StreamType: String, Sendable, CaseIterable {
  case all
  case changes
  case sync
  case adminLogsStreaming = "admin_logs_streaming"
  case adminLogs = "admin_logs"

  /// User streams have realtime servers; enterprise streams are read at an interval.
  package var hasRealtimeServer: Bool {
    switch self {
    case .all, .changes, .sync: true
    case .adminLogsStreaming, .adminLogs: false
    }
  }

  /// How long Box keeps events. A position older than this gets no error, only what is left.
  package var retention: Duration {
    switch self {
    case .all, .changes: .seconds(21 * 86_400)
    case .sync: .seconds(31 * 86_400)
    case .adminLogsStreaming: .seconds(14 * 86_400)
    case .adminLogs: .seconds(365 * 86_400)
    }
  }
}
