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
    guard var address = WebAddress(url.reveal()) else {
      throw FeedFailure(.realtimeRefused, "Box named a realtime server by something that is no plain URL")
    }
    let isAllowed =
      allowsLoopback && address.isLoopback || patterns.contains { matches(address.host, pattern: $0) }
    guard isAllowed else {
      throw FeedFailure(
        .realtimeRefused,
        "the realtime server \(PlainText.excerpt(address.host)) is not among the allowed hosts",
        hint: "if Box has moved its realtime servers, add the host to realtime_hosts in [box]")
    }
    if !address.isSecure && !address.isLoopback {
      address.isSecure = true
      if address.port == 80 { address.port = nil }
    }
    return Secret(address.text)
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
