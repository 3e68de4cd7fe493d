package import BoxEvents

extension BoxSource {
  /// The long poll. The realtime server gets neither the access token nor `As-User`: the channel in its URL
  /// is all it needs.
  package func poll(
    _ server: RealtimeServer, from position: ReadPosition
  ) async throws(FeedFailure) -> RealtimeReply {
    // Checked again where it is used: nothing is ever sent to a host that isn't allowed.
    let url = try allowed(server.url).reveal().appending(query: "stream_position=\(position)")
    let call = HTTPCall(.poll(retryTimeout: server.retryTimeout, briefly: server.briefly), url)
    do throws(FeedFailure) {
      return try reply(try await transport.sendAtOnce(call, observer), to: call)
    } catch {
      throw error.ofRealtime
    }
  }

  /// The URL of a realtime server, if it passes ``RealtimeURL``'s check.
  func allowed(_ url: Secret<String>) throws(FeedFailure) -> Secret<WebURL> {
    try RealtimeURL.allowed(url, patterns: settings.realtimeHosts, allowsLoopback: settings.apiURL.isLoopback)
  }

  /// An error status counts as a reply if its body names one: Box documents `max_retries` as an error.
  private func reply(_ answer: HTTPAnswer, to call: HTTPCall) throws(FeedFailure) -> RealtimeReply {
    let secrets = RealtimeURL.secrets(in: call.url)
    if answer.status == 200 { return RealtimeReply(parsing: answer.body, hiding: secrets) }
    let document = JSONDocument(answer.body)
    for text in ["message", "code", "error"].compactMap({ document?[$0].text }) {
      let reply = RealtimeReply(message: text)
      if case .unknown = reply { continue }
      return reply
    }
    throw answer.refusal(from: call.endpoint, hiding: secrets)
  }
}

extension FeedFailure {
  /// The same failure, of OPTIONS or a long poll; a sign-in that fails concerns all calls.
  var ofRealtime: FeedFailure {
    guard ![.signInFailed, .signInRefused, .cancelled].contains(code) else { return self }
    var failure = self
    failure.isOfRealtime = true
    return failure
  }
}

/// The check that a realtime server's URL must pass before anything is sent there.
///
/// Box's answer to OPTIONS names the server, so whoever can shape that answer could name any host.
enum RealtimeURL {
  /// The URL to poll: `https`, on an allowed host, without credentials.
  ///
  /// Plain `http`, which Box documents, is upgraded to `https`, which it serves; loopback stays as it is.
  /// - Parameters:
  ///   - patterns: `realtime_hosts`: exact names, or `*.` and a domain for its subdomains at any depth.
  ///   - allowsLoopback: loopback needs no pattern, because the API itself is on loopback.
  /// - Throws: `realtimeRefused`, naming the host and never the channel.
  static func allowed(
    _ url: Secret<String>, patterns: [String], allowsLoopback: Bool
  ) throws(FeedFailure) -> Secret<WebURL> {
    guard var parsed = WebURL(url.reveal()) else {
      throw FeedFailure(.realtimeRefused, "Box named a realtime server by an invalid URL")
    }
    let isAllowed =
      allowsLoopback && parsed.isLoopback || patterns.contains { matches(parsed.host, pattern: $0) }
    guard isAllowed else {
      throw FeedFailure(
        .realtimeRefused,
        "the realtime server \(PlainText.excerpt(parsed.host)) is not among the allowed hosts",
        hint: "If Box has moved its realtime servers, add the host to realtime_hosts in [box].")
    }
    if !parsed.isConfidential {
      let port = parsed.port == WebURL.Scheme.http.defaultPort ? nil : parsed.port
      parsed.origin = WebURL.Origin(scheme: .https, host: parsed.host, port: port)
    }
    return Secret(parsed)
  }

  static func matches(_ host: String, pattern: String) -> Bool {
    let pattern = pattern.lowercased()
    guard pattern.hasPrefix("*.") else { return host == pattern }
    let domain = pattern.dropFirst()  // with its dot, so that "evilbox.com" doesn't match "*.box.com"
    return domain.count > 1 && host.hasSuffix(domain) && host.count > domain.count
  }

  /// The URL, its query and the values in it, as they are and decoded: a server may echo any of them.
  static func secrets(in url: Secret<WebURL>) -> [Secret<String>] {
    let text = url.reveal().description
    guard let mark = text.firstIndex(of: "?") else { return [Secret(text)] }
    let query = text[mark...].dropFirst()
    let items = query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
    // Short ones are words like `all`, but for the channel.
    let values = items.filter { $0.count == 2 && ($0[0] == "channel" || $0[1].utf8.count >= 8) }.map { $0[1] }
    let decoded = values.compactMap { FormEncoding.unescaped($0) }
    return ([text, String(query)] + values.map(String.init) + decoded).map { Secret($0) }
  }
}

extension WebURL {
  /// The URL with one more part of its query: `?a=1`, or `&a=1` after another.
  func appending(query part: String) -> WebURL {
    var url = self
    if !target.contains("?") {
      url.target += "?"
    } else if !target.hasSuffix("?"), !target.hasSuffix("&") {
      url.target += "&"
    }
    url.target += part
    return url
  }
}
