import Testing

@testable import BoxClient

@Suite struct WebAddressTests {
  @Test func readsAPlainURL() throws {
    let address = try #require(WebAddress("HTTPS://API.Box.com:443/2.0?a=b#c"))
    #expect(address.text == "https://api.box.com/2.0?a=b")
    #expect(address.origin == "https://api.box.com")
    #expect(WebAddress("https://host?x=1")?.text == "https://host/?x=1")
    #expect(WebAddress("http://[::1]:8080/x")?.text == "http://[::1]:8080/x")
    #expect(WebAddress("http://host:80/")?.text == "http://host/")
  }

  @Test(arguments: [
    "", "host", "ftp://host/", "https://", "https:///x", "https://user@host/", "https://user:pw@host/",
    "https://host:/",
    "https://host:0/", "https://host:65536/", "https://host:+1/", "https://ho st/", "https://host/\n",
    "https://host\\@evil/",
    "https://[::1/", "https://[::1]x/", "https://[zz]/", "https://hóst/", "https://.host/", "https://a%2fb/",
    "https://a;b/",
    "https://host/\u{0}", "https://host:1:2/",
  ])
  func refusesWhatParsersReadDifferently(_ text: String) {
    #expect(WebAddress(text) == nil)
  }

  @Test func knowsLoopback() {
    for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
      #expect(WebAddress("http://\(host)/")?.isLoopback == true)
    }
    for host in [
      "127.evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "128.0.0.1", "127.0.1", "[::2]",
      "2130706433",
    ] {
      #expect(WebAddress("http://\(host)/")?.isLoopback == false)
    }
  }
}
