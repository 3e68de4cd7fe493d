import BoxEvents
import Testing

@testable import BoxClient

@Suite struct RealtimeURLTests {
  func check(_ url: String, _ patterns: [String] = FeedSettings.defaultRealtimeHosts, loopback: Bool = false)
    throws
    -> String
  {
    try RealtimeURL.allowed(Secret(url), patterns: patterns, allowsLoopback: loopback).reveal().description
  }

  @Test func acceptsBoxAndUpgradesToTLS() throws {
    #expect(
      try check("https://2.realtime.services.box.net/subscribe?channel=c")
        == "https://2.realtime.services.box.net/subscribe?channel=c")
    #expect(
      try check("http://2.realtime.services.box.net:80/s?channel=c")
        == "https://2.realtime.services.box.net/s?channel=c")
    #expect(try check("http://rt.box.com:8443/s") == "https://rt.box.com:8443/s")
    #expect(try check("https://RT.BOX.COM/s") == "https://rt.box.com/s")
    #expect(try check("https://rt.example.org/s", ["rt.example.org"]) == "https://rt.example.org/s")
  }

  @Test(arguments: [
    "https://evil.com/subscribe?channel=CANARY", "https://box.com.evil.com/?channel=CANARY",
    "https://evilbox.com/?channel=CANARY", "https://box.com/?channel=CANARY",
    "http://127.0.0.1/?channel=CANARY",
    "https://user:CANARY@rt.box.com/", "https://rt.box.com@evil.com/?channel=CANARY",
    "https://evil.com\\@rt.box.com/?channel=CANARY", "https://rt.box.com/\r\nX: CANARY",
    "https://rt.box.com/ ?channel=CANARY",
    "ftp://rt.box.com/CANARY", "https://rt.box.com.:443/CANARY", "//rt.box.com/CANARY", "CANARY",
  ])
  func refusesOtherURLsWithoutQuotingTheChannel(_ url: String) async {
    let failure = await failure { () throws(FeedFailure) in
      try RealtimeURL.allowed(Secret(url), patterns: FeedSettings.defaultRealtimeHosts, allowsLoopback: false)
    }
    #expect(failure?.code == .realtimeRefused)
    #expect(!"\(String(describing: failure))".contains("CANARY"))
  }

  @Test func namesHostAndConfigurationKey() async {
    let failure = await failure { () throws(FeedFailure) in
      try RealtimeURL.allowed(Secret("https://rt.evil.com/x"), patterns: ["*.box.com"], allowsLoopback: false)
    }
    #expect(failure?.message.contains("rt.evil.com") == true)
    #expect(failure?.hint?.contains("realtime_hosts") == true)
  }

  @Test func allowsLoopbackForALoopbackAPIOrByPattern() throws {
    #expect(try check("http://127.0.0.1:9/s", loopback: true) == "http://127.0.0.1:9/s")
    #expect(try check("http://127.0.0.1:9/s", ["127.0.0.1"]) == "http://127.0.0.1:9/s")
    #expect(throws: FeedFailure.self) { try check("http://10.0.0.1:9/s", loopback: true) }
  }

  @Test(arguments: [
    ("https://h/s?channel=c", "https://h/s?channel=c&a=1"), ("https://h/s", "https://h/s?a=1"),
    ("https://h/s?", "https://h/s?a=1"), ("https://h/s?c&", "https://h/s?c&a=1"),
  ])
  func appendsToTheQuery(_ url: String, _ expected: String) throws {
    #expect(try webURL(url).appending(query: "a=1").description == expected)
  }

  @Test(arguments: [
    ("2.realtime.services.box.net", "*.services.box.net", true),
    ("services.box.net", "*.services.box.net", false),
    ("evilservices.box.net", "*.services.box.net", false), ("a.box.com", "*.BOX.com", true),
    ("box.com", "BOX.COM", true), ("a.box.com", "box.com", false), ("a.", "*.", false),
    ("box.com", "*.", false), ("a.box.com.evil.example", "*.box.com", false),
  ])
  func patternsMatchSubdomainsOnly(host: String, pattern: String, matches: Bool) {
    #expect(RealtimeURL.matches(host, pattern: pattern) == matches)
  }

  @Test func emptyLabelsDoNotMatch() {
    #expect(!RealtimeURL.matches("a.b", pattern: "*."))
    #expect(!RealtimeURL.matches("", pattern: "*.box.com"))
    #expect(!RealtimeURL.matches(".box.com", pattern: "*.box.com"))
    #expect(!RealtimeURL.matches("box.com", pattern: "*.box.com"))
  }

  @Test func secretsAreTheURLAndItsLongerValues() throws {
    let url = "https://h/s?channel=a%2Fb&stream_type=all&stream_position=1152922976252290886&token"
    #expect(
      RealtimeURL.secrets(in: Secret(try webURL(url))).map { $0.reveal() } == [
        url, "channel=a%2Fb&stream_type=all&stream_position=1152922976252290886&token", "a%2Fb",
        "1152922976252290886", "a/b", "1152922976252290886",
      ])
  }
}
