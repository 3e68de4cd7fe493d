import BoxEvents
import Testing

@testable import BoxClient

@Suite struct ProxySettingsTests {
  @Test func readsTheSetting() throws {
    let proxy = try ProxySettings(setting: "http://proxy.example:3128", credentials: Secret("me:s3cret\n"))
    #expect(proxy.host == "proxy.example" && proxy.port == 3128)
    #expect(proxy.credentials?.reveal() == "me:s3cret")
    #expect(try ProxySettings(setting: "http://proxy.example").port == 3128)
  }

  @Test(arguments: [
    "proxy.example", "https://proxy.example:1", "http://me:CANARY@proxy.example:1", "socks5://p:1",
    "http://p/x",
  ])
  func refusesOtherSettings(_ text: String) {
    do {
      _ = try ProxySettings(setting: text)
      Issue.record("accepted")
    } catch {
      #expect(error.key == "proxy")
      #expect(!"\(error)".contains("CANARY"))
    }
  }

  @Test func readsTheEnvironment() throws {
    #expect(try ProxySettings(environment: [:]) == nil)
    #expect(try ProxySettings(environment: ["HTTPS_PROXY": " "]) == nil)
    let proxy = try #require(
      try ProxySettings(environment: [
        "HTTPS_PROXY": "http://upper:1", "https_proxy": "me:p%40ss@lower:2",
        "NO_PROXY": "a.com, .b.com,c.com:8443,*.d.com",
      ]))
    #expect(proxy.host == "lower" && proxy.port == 2)
    #expect(proxy.credentials?.reveal() == "me:p@ss")
    func applies(_ url: String) throws -> Bool { proxy.applies(to: try #require(WebURL(url))) }
    for url in [
      "https://a.com/", "https://x.a.com/", "https://b.com/", "https://c.com:8443/", "https://x.d.com/",
    ] {
      #expect(try !applies(url), "\(url)")
    }
    for url in ["https://xa.com/", "https://c.com/", "https://api.box.com/"] {
      #expect(try applies(url), "\(url)")
    }
  }

  @Test func loopbackIsNeverProxied() throws {
    let proxy = try ProxySettings(setting: "http://proxy.example:3128")
    for host in ["localhost", "127.0.0.1", "[::1]"] {
      #expect(!proxy.applies(to: try #require(WebURL("http://\(host)/"))))
    }
    let all = try #require(try ProxySettings(environment: ["https_proxy": "p:1", "no_proxy": "*"]))
    #expect(!all.applies(to: try #require(WebURL("https://api.box.com/"))))
  }
}
