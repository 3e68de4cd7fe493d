import Testing

@testable import BoxEvents

@Suite struct WebURLTests {
  @Test(arguments: [
    ("HTTPS://API.Box.com:443/2.0?a=b#c", "https://api.box.com/2.0?a=b"),
    ("https://host?x=1", "https://host/?x=1"),
    ("http://[::1]:8080/x", "http://[::1]:8080/x"), ("http://host:80/", "http://host/"),
    ("https://a.example:80", "https://a.example:80/"), ("http://127.0.0.1:443", "http://127.0.0.1:443/"),
    ("https://[::1]:443/x", "https://[::1]/x"), ("https://a.example/2.0/", "https://a.example/2.0/"),
  ])
  func readsAPlainURL(text: String, normal: String) throws {
    let url = try #require(WebURL(text))
    #expect(url.description == normal)
    #expect(WebURL(normal)?.origin == url.origin && WebURL(normal)?.target == url.target)
  }

  @Test func originNamesAnUnusualPortAlone() throws {
    #expect(try #require(WebURL("https://API.Box.com:443/2.0")).origin.description == "https://api.box.com")
    #expect(try #require(WebURL("https://a:8443/")).origin.description == "https://a:8443")
    #expect(WebURL("https://a:443/")?.origin == WebURL("https://A/x")?.origin)
  }

  @Test(arguments: [
    "", "host", "ftp://host/", "https://", "https:///x", "https://user@host/", "https://user:pw@host/",
    "https://@a",
    "https://host:/", "https://host:0/", "https://host:65536/", "https://host:+1/", "https://ho st/",
    "https://host/\n", "https://host\\@evil/", "https://[::1/", "https://[::1]x/", "https://[zz]/",
    "https://hóst/",
    "https://.host/", "https://a%2fb/", "https://a;b/", "https://host/\u{0}", "https://host:1:2/",
    "https://a..b/",
    "https://a./", "https://[1:2]/", "https://a.example/b\\c", "https://a.example\\@b.example/",
    "https://a.example/\u{7F}", "https://a.example/ b", "https://a.example/\r\nHost: b", "https:/a",
    "https:a",
    "HTTPS//a", "https://a:/x", "https://api.box.com@evil.example/",
  ])
  func refusesWhatParsersReadDifferently(text: String) {
    #expect(WebURL(text) == nil)
  }

  @Test(arguments: ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "127.255.255.254", "[::1]"])
  func knowsThisMachine(host: String) throws {
    #expect(try #require(WebURL("http://\(host):8080/")).isLoopback)
    #expect(try #require(WebURL("http://\(host)/")).isConfidential)
  }

  @Test(arguments: [
    "evil-localhost", "evil.localhost", "localhost.evil.example", "127.0.0.1.evil.example", "127.evil.com",
    "127.1",
    "127.0.0.256", "127.0.1", "128.0.0.1", "1127.0.0.1", "0.0.0.0", "2130706433", "[::2]", "[::127.0.0.1]",
  ])
  func knowsOtherMachines(host: String) throws {
    #expect(try !#require(WebURL("http://\(host)/")).isLoopback)
    #expect(try !#require(WebURL("http://\(host)/")).isConfidential)
    #expect(try #require(WebURL("https://\(host)/")).isConfidential)
  }

  @Test(arguments: ["https://a.example", "https://a.example/", "https://a.example//"])
  func appendsAPathWithOneSlash(base: String) throws {
    #expect(try #require(WebURL(base)).appending(path: "/events").description == "https://a.example/events")
    #expect(
      try #require(WebURL(base + "/2.0//")).appending(path: "/events").target.hasSuffix("2.0/events"))
  }
}
