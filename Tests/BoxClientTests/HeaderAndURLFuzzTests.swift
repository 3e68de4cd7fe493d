import BoxEvents
import Testing

@testable import BoxClient

/// Headers and URLs that are changed at random: no parser traps, and none accepts more than is allowed.
@Suite struct HeaderAndURLFuzzTests {
  private static let seeds = [
    "120", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    "https://2.realtime.services.box.net/subscribe?channel=c&stream_type=all", "http://rt.box.com:8443/s#x",
    "http://127.0.0.1:9/s", "https://[::1]:443/s", "https://user:secret@rt.box.com/",
    "https://rt.box.com@evil.example/",
    "https://services.box.net.evil.com/", "HTTPS://RT.BOX.COM", "//rt.box.com/", "file:///etc/passwd",
  ]
  private static let pieces = [
    "0", "9", "99999999999", "-1", ".", ":", "::", "/", "//", "@", "#", "?", "&", "[", "]", "\\", "%2e", " ",
    "\r\n", "\0",
    "\u{202E}", "é", "box.com", ".box.com", "*.", "evil.example", "localhost", "127.0.0.1", "http", "GMT",
    "Feb", "29",
    ",", "x", "",
  ]

  /// 50,000 texts, reproduced by the seed.
  private func texts() -> [String] {
    var random = SplitMix64(seed: 11)
    return (0..<50_000).map { _ in
      var text = Array(Self.seeds.randomElement(using: &random) ?? "")
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let start = Int.random(in: 0...text.count, using: &random)
        let end = Int.random(in: start...min(text.count, start + 6), using: &random)
        text.replaceSubrange(start..<end, with: Self.pieces.randomElement(using: &random) ?? "")
      }
      return String(text)
    }
  }

  @Test func retryAfterIsBounded() {
    let now = BoxTime(secondsSince1970: 784_111_777)
    for text in texts() {
      guard let wait = RetryAfter.parse(text, now: now) else { continue }
      #expect(wait > .zero && wait <= RetryAfter.maximum, "\(text.debugDescription)")
    }
  }

  @Test func urlsSurviveTheirOwnDescription() {
    var count = 0
    for text in texts() {
      guard let url = WebURL(text) else { continue }
      count += 1
      let again = WebURL(url.description)
      #expect(
        again?.description == url.description && again?.origin == url.origin, "\(text.debugDescription)")
      #expect(!url.host.contains { "@/\\#?[]% ".contains($0) }, "\(text.debugDescription)")
    }
    #expect(count > 1000)
  }

  /// Only allowed hosts, only over TLS.
  @Test func realtimeURLsAreOnAllowedHosts() throws {
    var count = 0
    for text in texts() {
      let patterns = FeedSettings.defaultRealtimeHosts
      let url = try? RealtimeURL.allowed(Secret(text), patterns: patterns, allowsLoopback: false).reveal()
      guard let url else { continue }
      count += 1
      let parsed = try #require(WebURL(url.description), "\(text.debugDescription)")
      #expect(parsed.scheme == .https, "\(text.debugDescription)")
      #expect(
        parsed.host.hasSuffix(".box.com") || parsed.host.hasSuffix(".services.box.net"),
        "\(text.debugDescription)")
      let polled = url.appending(query: "stream_position=0").description
      #expect(WebURL(polled)?.host == parsed.host, "\(text.debugDescription)")
    }
    #expect(count > 500)
  }
}
