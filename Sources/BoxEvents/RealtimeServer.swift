/// A server to long-poll, as `OPTIONS /events` names it, its numbers bounded and in one unit.
/// Source: <https://developer.box.com/reference/options-events/>. Box gives `ttl` in minutes and
/// `retry_timeout` in seconds, each as a number or a string.
package struct RealtimeServer: Hashable, Sendable {
  /// Carries the channel, which is a secret. Not yet checked against the allowed hosts.
  package var url: Secret<String>
  /// How long the server may be used.
  package var timeToLive: Duration
  /// Polls before a new server is due.
  package var maximumPolls: Int
  /// How long a poll may stay without an answer.
  package var retryTimeout: Duration
  /// How long the poll may last by our own choice; nil for as long as the server allows.
  package var briefly: Duration?

  package init(
    url: Secret<String>, timeToLive: Duration = .seconds(600), maximumPolls: Int = 10,
    retryTimeout: Duration = .seconds(610)
  ) {
    self.url = url
    self.timeToLive = timeToLive
    self.maximumPolls = maximumPolls
    self.retryTimeout = retryTimeout
  }

  /// The same server for a poll that is ended soon.
  func briefly(_ limit: Duration) -> RealtimeServer {
    var server = self
    server.briefly = limit
    return server
  }

  /// Reads the answer to OPTIONS: the first entry of type `realtime_server` that has a URL.
  /// Numbers out of range take their default.
  package init(parsing body: [UInt8]) throws(FeedFailure) {
    let server = JSONDocument(body)?["entries"].elements.first {
      $0["type"].text == "realtime_server" && !($0["url"].text ?? "").isEmpty
    }
    guard let server, let url = server["url"].text else {
      throw FeedFailure(.unreadable, "the answer to OPTIONS is missing a realtime server")
    }
    self.init(url: Secret(url))
    if let minutes = server["ttl"].integer(in: 1...60) { timeToLive = .seconds(60 * minutes) }
    if let polls = server["max_retries"].integer(in: 1...1000) { maximumPolls = polls }
    if let seconds = server["retry_timeout"].integer(in: 1...1200) { retryTimeout = .seconds(seconds) }
  }
}

/// The answer to a long poll.
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
  /// - Parameter secrets: what was sent and must not come back in ``unknown(_:)``.
  package init(parsing body: [UInt8], hiding secrets: [Secret<String>] = []) {
    if let document = JSONDocument(body) {
      self.init(message: document["message"].text, hiding: secrets)
    } else {
      self = .unknown(body.isEmpty ? "an empty answer" : "an answer that is not JSON")
    }
  }

  /// The meaning of a `message`, also where it came with an error status.
  package init(message: String?, hiding secrets: [Secret<String>] = []) {
    switch message {
    case "new_change", "new_message": self = .newChange
    case "reconnect": self = .reconnect
    case "max_retries": self = .maxRetries
    case "out_of_date": self = .outOfDate
    case nil: self = .unknown("an answer without a message")
    case let other?:
      let isShown = Self.isWord(other) && !secrets.contains { other.contains($0.reveal()) }
      self = .unknown(isShown ? "the message “\(other)”" : "an unknown message")
    }
  }

  /// Like `new_change`. Anything else isn't shown: a gateway may echo the URL, the channel in it, or a part of that.
  private static func isWord(_ text: String) -> Bool {
    1...32 ~= text.utf8.count
      && text.utf8.allSatisfy {
        0x61...0x7A ~= $0 | 0x20 || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
      }
  }
}
