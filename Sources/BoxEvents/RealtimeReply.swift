/// What a long poll answered.
///
/// Source: <https://developer.box.com/guides/events/user-events/for-user/>; `new_message`, `max_retries`
/// and `out_of_date` are not documented but sent.
package enum RealtimeReply: Hashable, Sendable {
  /// `new_change`, `new_message`: something happened.
  case newChange
  /// Nothing happened for long; a new server is due.
  case reconnect
  /// This server is used up.
  case maxRetries
  /// The position is too old for polling; reading it until nothing is left still loses nothing.
  case outOfDate
  /// Anything else: another message, no JSON, an error status. A new server is due.
  case unknown(String)

  /// Reads the body of a reply with status 200.
  package init(parsing body: [UInt8]) {
    guard let document = JSONDocument(body) else {
      self = .unknown(body.isEmpty ? "an empty answer" : "an answer that is no JSON")
      return
    }
    self.init(message: document["message"].text)
  }

  /// The meaning of a `message`, also where it came with an error status.
  package init(message: String?) {
    switch message {
    case "new_change", "new_message": self = .newChange
    case "reconnect": self = .reconnect
    case "max_retries": self = .maxRetries
    case "out_of_date": self = .outOfDate
    case nil: self = .unknown("an answer without a message")
    case let other?: self = .unknown("the message “\(other.prefix(64))”")
    }
  }
}
