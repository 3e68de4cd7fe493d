/// A server to long-poll, as `OPTIONS /events` names it, its numbers bounded and in one unit.
///
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

  package static let defaultTimeToLive = Duration.seconds(10 * 60)
  package static let defaultMaximumPolls = 10
  package static let defaultRetryTimeout = Duration.seconds(610)

  package init(
    url: Secret<String>, timeToLive: Duration = Self.defaultTimeToLive,
    maximumPolls: Int = Self.defaultMaximumPolls, retryTimeout: Duration = Self.defaultRetryTimeout
  ) {
    self.url = url
    self.timeToLive = timeToLive
    self.maximumPolls = maximumPolls
    self.retryTimeout = retryTimeout
  }

  /// Reads the answer to OPTIONS: the first entry of type `realtime_server` that has a URL.
  /// Numbers out of range take their default.
  package init(parsing body: [UInt8]) throws(FeedFailure) {
    let servers = (JSONDocument(body)?["entries"].elements ?? []).filter {
      $0["type"].text == "realtime_server" && !($0["url"].text ?? "").isEmpty
    }
    guard let server = servers.first, let url = server["url"].text else {
      throw FeedFailure(.unreadable, "the answer to OPTIONS names no realtime server")
    }
    self.init(
      url: Secret(url),
      timeToLive: .seconds(60 * (server["ttl"].integer(in: 1...60) ?? 10)),
      maximumPolls: server["max_retries"].integer(in: 1...1000) ?? Self.defaultMaximumPolls,
      retryTimeout: .seconds(server["retry_timeout"].integer(in: 1...1200) ?? 610))
  }
}
