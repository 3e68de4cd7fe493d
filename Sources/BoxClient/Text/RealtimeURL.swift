import BoxEvents

/// The check a realtime server's URL must pass before anything is sent there.
///
/// Box's answer to OPTIONS names the server, so whoever can shape that answer could name any host.
enum RealtimeURL {
  /// The URL to poll: `https`, on an allowed host, without credentials.
  ///
  /// Plain `http` to Box is upgraded to `https` (Box documents `http`, and serves `https`); loopback stays
  /// as it is.
  /// - Parameters:
  ///   - patterns: `realtime_hosts`: exact names, or `*.` and a domain for its subdomains at any depth.
  ///   - allowsLoopback: loopback needs no pattern, because the API itself is on loopback.
  /// - Throws: `realtimeRefused`, naming the host and never the channel.
  static func checked(
    _ url: Secret<String>, patterns: [String], allowsLoopback: Bool
  ) throws(FeedFailure) -> Secret<String> {
    guard var parsed = WebURL(url.reveal()) else {
      throw FeedFailure(.realtimeRefused, "Box named a realtime server by something that is no plain URL")
    }
    let isAllowed =
      allowsLoopback && parsed.isLoopback || patterns.contains { matches(parsed.host, pattern: $0) }
    guard isAllowed else {
      throw FeedFailure(
        .realtimeRefused,
        "the realtime server \(PlainText.excerpt(parsed.host)) is not among the allowed hosts",
        hint: "if Box has moved its realtime servers, add the host to realtime_hosts in [box]")
    }
    if !parsed.isConfidential {
      let port = parsed.port == WebURL.Scheme.http.defaultPort ? nil : parsed.port
      parsed.origin = WebURL.Origin(scheme: .https, host: parsed.host, port: port)
    }
    return Secret(parsed.description)
  }

  /// The URL of one poll.
  static func polling(_ url: Secret<String>, from position: ReadPosition) -> Secret<String> {
    let text = url.reveal()
    let separator = text.contains("?") ? (text.hasSuffix("?") || text.hasSuffix("&") ? "" : "&") : "?"
    return Secret("\(text)\(separator)stream_position=\(position)")
  }

  static func matches(_ host: String, pattern: String) -> Bool {
    let pattern = pattern.lowercased()
    guard pattern.hasPrefix("*.") else { return host == pattern }
    let domain = pattern.dropFirst()  // with its dot, so that "evilbox.com" is no subdomain
    return domain.count > 1 && host.hasSuffix(domain) && host.count > domain.count
  }
}
