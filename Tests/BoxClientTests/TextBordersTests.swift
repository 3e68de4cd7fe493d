import BoxEvents
import NIOHTTP1
import Testing

@testable import BoxClient

/// Just beyond what is accepted: one step from a right address, date or name to a wrong one.
@Suite struct TextBordersTests {
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
    #expect(try !proxy.applies(to: #require(WebURL("https://a.example.com/"))))
    #expect(try proxy.applies(to: #require(WebURL("https://a.example.org/"))))
  }

  @Test(arguments: ["", "name", " \n"])
  func credentialsOfAProxyAreAUserAndAPassword(text: String) {
    let error = #expect(throws: ClientSettingsError.self) {
      try ProxySettings(setting: "http://p:1", credentials: Secret(text))
    }
    #expect(error?.key == "proxy_auth_file")
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
