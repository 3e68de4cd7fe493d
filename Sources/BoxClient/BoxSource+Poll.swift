package import BoxEvents
import NIOHTTP1

extension BoxSource {
  /// The long poll. The realtime server gets neither the access token nor `As-User`: its channel is all it
  /// needs.
  package func poll(
    _ server: RealtimeServer, from position: ReadPosition
  ) async throws(FeedFailure) -> RealtimeReply {
    // Checked again where it is used: nothing is ever sent to a host that isn't allowed.
    let url = RealtimeURL.polling(try checked(server.url), from: position)
    let call = HTTPCall(
      method: .GET, url: url, lane: .poll(server.retryTimeout),
      maximumBodyBytes: transport.settings.maximumSmallBodyBytes,
      tooLarge: FeedFailure(.unreadable, "the realtime server's reply is far too long"))
    return try reply(try await transport.send(call, endpoint: "poll", observer: onRequest), url)
  }

  /// An error status counts as a reply where its body says what a reply would: Box documents `max_retries`
  /// as an error.
  private func reply(_ answer: HTTPAnswer, _ url: Secret<String>) throws(FeedFailure) -> RealtimeReply {
    if answer.status == 200 { return RealtimeReply(parsing: answer.body) }
    let document = JSONDocument(answer.body)
    for text in [document?["message"].text, document?["code"].text, document?["error"].text] {
      guard let text else { continue }
      let reply = RealtimeReply(message: text)
      switch reply {
      case .newChange, .reconnect, .maxRetries, .outOfDate: return reply
      case .unknown: continue
      }
    }
    throw answer.refusal(from: "the realtime server", hiding: secrets(in: url))
  }

  /// The URL, its query, and each of the query's values: any of them may be echoed.
  private func secrets(in url: Secret<String>) -> [Secret<String>] {
    let text = url.reveal()
    guard let query = text.firstIndex(of: "?").map({ text[text.index(after: $0)...] }) else { return [url] }
    let channel = query.split(separator: "&").filter { $0.hasPrefix("channel=") }.map { $0.dropFirst(8) }
    return [url, Secret(String(query))] + channel.map { Secret(String($0)) }
  }
}
