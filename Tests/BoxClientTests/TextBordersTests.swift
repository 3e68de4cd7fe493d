import BoxEvents
import NIOHTTP1
import Testing

@testable import BoxClient

/// Just beyond what is accepted: one step from a right address, date or name to a wrong one.
@Suite struct TextBordersTests {
  @Test(arguments: [
    "https://a.example/b\\c", "https://a.example\\@b.example/", "https://a.example/\u{7F}",
    "https://a.example/ b",
    "https://a.example/\r\nHost: b", "https:/a", "https:a", "HTTPS//a", "https://", "https://.a",
    "https://a:0/",
    "https://a:65536/", "https://a:+1/", "https://a:/x",
  ])
  func isNoAddress(text: String) {
    #expect(WebAddress(text) == nil)
  }

  @Test(arguments: [
    "evil-localhost", "evil.localhost", "localhost.evil.example", "127.0.0.1.evil.example", "127.1",
    "127.0.0.256",
    "128.0.0.1", "1127.0.0.1", "0.0.0.0", "[::2]", "[::127.0.0.1]",
  ])
  func isNotThisMachine(host: String) throws {
    #expect(try !#require(WebAddress("http://\(host)/")).isLoopback)
  }

  @Test(arguments: ["localhost", "LOCALHOST", "127.0.0.1", "127.255.255.254", "[::1]"])
  func isThisMachine(host: String) throws {
    #expect(try #require(WebAddress("http://\(host):8080/")).isLoopback)
  }

  @Test(arguments: [
    ("2.realtime.services.box.net", "*.services.box.net", true),
    ("services.box.net", "*.services.box.net", false),
    ("evilservices.box.net", "*.services.box.net", false), ("a.box.com", "*.BOX.com", true),
    ("box.com", "BOX.COM", true), ("a.box.com", "box.com", false), ("a.", "*.", false),
    ("box.com", "*.", false),
    ("a.box.com.evil.example", "*.box.com", false),
  ])
  func aPatternCoversItsSubdomainsAlone(host: String, pattern: String, matches: Bool) {
    #expect(RealtimeURL.matches(host, pattern: pattern) == matches)
  }

  static let dates: [(String, Int64)] = [
    ("Sunday, 06-Nov-26 08:49:37 GMT", 1_793_954_977), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
    ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800), ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
    ("Sun, 28 Feb 2100 23:59:59 GMT", 4_107_542_399), ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
  ]

  @Test(arguments: dates)
  func datesAreWhatTheCalendarSays(text: String, seconds: Int64) {
    #expect(HTTPDate.parse(text)?.secondsSince1970 == seconds)
  }

  @Test(arguments: [
    "Mon, 29 Feb 2100 00:00:00 GMT", "Thu, 29 Feb 2023 00:00:00 GMT", "Wed, 31 Apr 2026 00:00:00 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:37 PST",
    "Sun, 00 Nov 1994 08:49:37 GMT",
  ])
  func isNoDate(text: String) {
    #expect(HTTPDate.parse(text) == nil)
  }

  @Test func aWaitMayHaveASpaceInFront() {
    #expect(RetryAfter.parse("  7", now: BoxTime(secondsSince1970: 0)) == .seconds(7))
  }

  @Test(arguments: ["%", "%4", "%+1", "%-1", "%1+", "%zz", "a%2", "%ff", "% 1"])
  func isNoEncodedText(text: String) {
    #expect(FormEncoding.unescaped(text) == nil)
  }

  @Test(arguments: [".EXAMPLE.com", "*.Example.COM", "A.example.com", " a.EXAMPLE.com:443 "])
  func exceptionsAreNamesWhateverTheirCase(exceptions: String) throws {
    let proxy = try #require(
      try ProxySettings(environment: ["https_proxy": "http://p:1", "no_proxy": exceptions]))
    #expect(try !proxy.applies(to: #require(WebAddress("https://a.example.com/"))))
    #expect(try proxy.applies(to: #require(WebAddress("https://a.example.org/"))))
  }

  @Test(arguments: ["", "name", " \n"])
  func credentialsOfAProxyAreAUserAndAPassword(text: String) {
    let error = #expect(throws: ClientSettingsError.self) {
      try ProxySettings(setting: "http://p:1", credentials: Secret(text))
    }
    #expect(error?.key == "proxy_auth_file")
  }

  @Test(arguments: ["https://a.example/2.0", "https://a.example/2.0/", "https://a.example/2.0//"])
  func theAddressOfTheAPIEndsWithoutASlash(text: String) throws {
    #expect(try FeedSettings(apiURL: text).checkedAPI().text == "https://a.example/2.0")
  }

  /// Storing it would lose the one that is still good.
  @Test func anEmptyRefreshTokenIsNone() {
    let body = Array(#"{"access_token":"a","expires_in":60,"refresh_token":""}"#.utf8)
    guard
      case .granted(let grant) = TokenAnswer(HTTPAnswer(status: 200, headers: [:], body: body), hiding: [])
    else {
      Issue.record("refused")
      return
    }
    #expect(grant.refreshToken == nil)
  }

  @Test func aTokenIsBounded() {
    #expect(AccessToken(String(repeating: "t", count: 8192), lifetime: nil) != nil)
    #expect(AccessToken(String(repeating: "t", count: 8193), lifetime: nil) == nil)
  }
}
