import BoxEvents
import ScriptedHTTP
import Testing

@testable import BoxClient

@Suite(.timeLimit(.minutes(5))) struct OAuthLoginTests {
  let login: OAuthLogin

  init() throws {
    login = OAuthLogin(clientID: "my app", tokenURL: try webURL("https://a/oauth2/token"), state: "s1")
  }

  func refused(_ pasted: String) async -> FeedFailure? {
    let failure = await failure { () throws(FeedFailure) in try login.code(pasted: pasted) }
    #expect(!String(describing: failure).contains("CANARY"))
    return failure
  }

  @Test func addressCarriesTheState() {
    #expect(
      login.authorizationURL
        == "https://a/api/oauth2/authorize?response_type=code&client_id=my%20app&state=s1")
  }

  @Test func stateIsRandomAndTheAddressFollowsTheTokenURL() throws {
    let box = try webURL("https://api.box.com/oauth2/token")
    let (one, two) = (OAuthLogin(clientID: "x", tokenURL: box), OAuthLogin(clientID: "x", tokenURL: box))
    #expect(one.state != two.state && one.state.count == 32)
    #expect(one.authorizationURL.hasPrefix("https://account.box.com/api/oauth2/authorize?"))
    let local = OAuthLogin(clientID: "x", tokenURL: try webURL("http://127.0.0.1:8080/oauth2/token"))
    #expect(local.authorizationURL.hasPrefix("http://127.0.0.1:8080/api/oauth2/authorize?"))
  }

  @Test func acceptsACodeOrAnAddress() throws {
    #expect(try login.code(pasted: " abc\n").reveal() == "abc")
    #expect(try login.code(pasted: "https://b/c?code=a%2Bb&state=s1#x").reveal() == "a+b")
    #expect(try login.code(pasted: "state=s1&code=abc").reveal() == "abc")
  }

  @Test func refusesOtherText() async {
    #expect(await refused("https://b/c?code=CANARY&state=other")?.message.contains("state") == true)
    #expect(await refused("https://b/c?code=CANARY")?.message.contains("state") == true)
    #expect(await refused("https://b/c?state=s1")?.message.contains("lacks a code") == true)
    #expect(
      await refused("https://b/c?error=access_denied&state=s1")?.message.contains("access_denied") == true)
    #expect(await refused("")?.code == .signInRefused)
    #expect(await refused("two words CANARY")?.code == .signInRefused)
  }

  @Test func exchangesTheCodeAndStoresTheToken() async throws {
    let store = MemoryTokenStore(nil)
    try await ScriptedServer.run { _, _ in
      store.note("trade")
      return .answer(200, #"{"access_token":"a","refresh_token":"r1"}"#)
    } _: { server in
      try await withTransport { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(server.origin + "/token"))
        try await login.finish(code: Secret("c"), clientSecret: Secret("s"), endpoint: endpoint, store: store)
      }
      #expect(
        server.requests[0].body == "grant_type=authorization_code&code=c&client_id=my%20app&client_secret=s")
    }
    #expect(store.log == ["prove", "trade", "save r1"])
    #expect(store.token == "r1")
  }
}
