import BoxEvents
import NIOCore
import ScriptedHTTP
import TestSystem
import Testing

@testable import BoxClient

@Suite struct ProxySettingsTests {
  @Test func readsTheSetting() throws {
    let proxy = try ProxySettings(
      setting: webURL("http://proxy.example:3128"), credentials: Secret("me:s3cret\n"))
    #expect(proxy.host == "proxy.example" && proxy.port == 3128)
    #expect(proxy.credentials?.reveal() == "me:s3cret")
    #expect(try ProxySettings(setting: webURL("http://proxy.example")).port == 3128)
  }

  @Test(arguments: ["https://proxy.example:1", "http://p/x"])
  func refusesOtherSettings(_ text: String) {
    let error = #expect(throws: ClientSettingsError.self) { try ProxySettings(setting: webURL(text)) }
    #expect(error?.key == "proxy")
  }

  @Test(arguments: [
    "https://me:CANARY@proxy.example:1", "socks5://me:CANARY@p:1", "http://me:CANARY@p/x", "a b",
  ])
  func refusesOtherEnvironments(_ text: String) {
    let error = #expect(throws: ClientSettingsError.self) {
      try ProxySettings(environment: ["https_proxy": text])
    }
    #expect(error?.key == "HTTPS_PROXY")
    #expect(error?.explanation.contains("CANARY") == false)
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

  @Test(arguments: ["http://me:CANARY%zz@p:1", "http://me:CANARY%@p:1", "me:CANARY%ff@p:1"])
  func refusesCredentialsThatCannotBeDecoded(_ text: String) {
    let error = #expect(throws: ClientSettingsError.self) {
      try ProxySettings(environment: ["HTTPS_PROXY": text])
    }
    #expect(error?.message == "the user and password in HTTPS_PROXY can't be decoded")
    #expect(error?.explanation.contains("CANARY") == false)
  }

  @Test(arguments: ["socks5://p:1", "socks5h://me:CANARY@p:1", "SOCKS4://p:1", "ftp://p:1"])
  func onlyHTTPProxiesAreSupported(_ text: String) {
    let error = #expect(throws: ClientSettingsError.self) {
      try ProxySettings(environment: ["HTTPS_PROXY": text])
    }
    #expect(error?.message == "HTTPS_PROXY is not the URL of an http:// proxy")
    #expect(error?.hint == "Only http:// proxies are supported. Write it as http://host:port.")
  }

  @Test(arguments: ["a.com b.com", "a.com  b.com", "a.com,\tb.com ", " a.com ,b.com\n", ",, a.com, ,b.com"])
  func commasAndBlanksSeparateExceptions(exceptions: String) throws {
    let proxy = try #require(try ProxySettings(environment: ["https_proxy": "p:1", "NO_PROXY": exceptions]))
    #expect(proxy.exceptions == ["a.com", "b.com"])
  }

  @Test(arguments: [".EXAMPLE.com", "*.Example.COM", "A.example.com", " a.EXAMPLE.com:443 "])
  func ignoresTheCaseOfExceptions(exceptions: String) throws {
    let proxy = try #require(
      try ProxySettings(environment: ["https_proxy": "http://p:1", "no_proxy": exceptions]))
    #expect(try !proxy.applies(to: webURL("https://a.example.com/")))
    #expect(try proxy.applies(to: webURL("https://a.example.org/")))
  }

  @Test(arguments: ["", "name", " \n"])
  func refusesCredentialsWithoutAPassword(text: String) {
    let error = #expect(throws: ClientSettingsError.self) {
      try ProxySettings(setting: webURL("http://p:1"), credentials: Secret(text))
    }
    #expect(error?.key == "proxy_auth_file")
  }

  @Test func loopbackIsNeverProxied() throws {
    let proxy = try ProxySettings(setting: webURL("http://proxy.example:3128"))
    for host in ["localhost", "127.0.0.1", "[::1]"] {
      #expect(!proxy.applies(to: try #require(WebURL("http://\(host)/"))))
    }
    let all = try #require(try ProxySettings(environment: ["https_proxy": "p:1", "no_proxy": "*"]))
    #expect(!all.applies(to: try #require(WebURL("https://api.box.com/"))))
  }
}

@Suite struct ProxyTrafficTests {
  func read(through server: ScriptedServer, credentials: String?) async throws -> FeedFailure? {
    let proxy = try ProxySettings(setting: webURL(server.origin), credentials: credentials.map { Secret($0) })
    return try await withTransport {
      $0.proxy = proxy
    } _: { transport in
      let source = try BoxSource(
        transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
        settings: FeedSettings(apiURL: try webURL("https://api.box.com/2.0")))
      return await failure { () throws(FeedFailure) in try await source.read(ReadRequest(position: .now)) }
    }
  }

  @Test func trafficGoesThroughTheProxy() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(403)
    } _: { server in
      let failure = try await read(through: server, credentials: "me:CANARY:x")
      #expect(failure?.message == "the proxy refused the connection to api.box.com")
      #expect(!String(describing: failure).contains("CANARY"))
      let request = try #require(server.requests.first)
      #expect(request.method == "CONNECT" && request.target == "api.box.com:443")
      #expect(request.headers["proxy-authorization"] == "Basic bWU6Q0FOQVJZOng=")
      #expect(request.headers["authorization"] == nil)
    }
  }

  @Test func reportsMissingProxyCredentials() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(407, headers: ["Proxy-Authenticate: Negotiate", "Proxy-Authenticate: NTLM"])
    } _: { server in
      let failure = try await read(through: server, credentials: nil)
      #expect(failure?.code == .unreachable)
      #expect(failure?.hint?.hasPrefix("Set proxy_auth_file in [box].") == true)
      #expect(failure?.hint?.contains("must accept Basic; Digest, NTLM and Negotiate are not") == true)
      #expect(server.requests.first?.headers["proxy-authorization"] == nil)
    }
  }

  @Test func reportsRefusedProxyCredentials() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(407)
    } _: { server in
      let failure = try await read(through: server, credentials: "me:CANARY")
      #expect(failure?.code == .unreachable)
      #expect(failure?.message == "the proxy refused the user and password")
      #expect(failure?.hint?.contains("proxy_auth_file") == true)
      #expect(!String(describing: failure).contains("CANARY"))
    }
  }

  /// The failure of a read through a proxy that can't be reached.
  private func send(through proxy: ProxySettings?, to url: String) async throws -> FeedFailure? {
    let call = HTTPCall(.events, try webURL(url))
    return try await withTransport {
      $0.proxy = proxy
    } _: { transport in
      await failure { () throws(FeedFailure) in try await transport.send(call) }
    }
  }

  @Test func namesTheProxyThatRefusesTheConnection() async throws {
    let dead = try DeadPort(.refusing)
    let proxy = try ProxySettings(environment: ["https_proxy": "http://127.0.0.1:\(dead.port)"])
    let proxied = try await send(through: proxy, to: "https://api.box.com/2.0/events")
    #expect(
      proxied?.message == "cannot connect to the proxy 127.0.0.1:\(dead.port): Connection refused")
    #expect(proxied?.hint?.contains("HTTPS_PROXY") == true)
    // Loopback is called directly, whatever the proxy.
    let direct = try await send(through: proxy, to: "http://127.0.0.1:\(dead.port)/2.0/events")
    #expect(direct?.message == "cannot connect to 127.0.0.1:\(dead.port): Connection refused")
    withExtendedLifetime(dead) {}
  }

  @Test func theHintNamesWhatNamesTheProxy() throws {
    func hint(_ text: String) throws -> String {
      ProxySettings.authenticationHint(try ProxySettings(environment: ["https_proxy": text]))
    }
    #expect(try hint("http://p:1").hasPrefix("Write HTTPS_PROXY as http://user:password@host:port."))
    #expect(try hint("http://me:CANARY@p:1").hasPrefix("Check the user and password in HTTPS_PROXY."))
  }

  /// A reload brings another password: the next call uses it.
  @Test func anotherProxyIsUsedFromTheNextCallOn() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(407)
    } _: { server in
      let settings = try ["me:old", "me:new"].map {
        try ProxySettings(setting: webURL(server.origin), credentials: Secret($0))
      }
      try await withTransport {
        $0.proxy = settings[0]
      } _: { transport in
        let call = HTTPCall(.events, try webURL("https://api.box.com/2.0/events"))
        for proxy in settings {
          transport.use(proxy)
          _ = await failure { () throws(FeedFailure) in try await transport.send(call) }
        }
      }
      #expect(
        server.requests.map { $0.headers["proxy-authorization"] }
          == ["Basic bWU6b2xk", "Basic bWU6bmV3"])
    }
  }

  @Test func loopbackGoesDirectly() async throws {
    try await ScriptedServer.run { _, _ in
      .answer(403)
    } _: { server in
      let proxy = try ProxySettings(setting: webURL(server.origin))
      try await ScriptedServer.run { _, _ in
        .answer(200, BoxSourceTests.page)
      } _: { api in
        try await withTransport {
          $0.proxy = proxy
        } _: { transport in
          _ = try await source(transport, api).read(ReadRequest(position: .now))
        }
      }
      #expect(server.connections == 0)
    }
  }

  @Test func sendsNothingToAServerWithoutTLS() async throws {
    try await ScriptedServer.run { _, _ in
      Reply(.send("HTTP/1.1 400 Bad Request\r\n\r\n"), .close)
    } _: { server in
      try await withTransport {
        $0.connectTimeout = .milliseconds(200)
      } _: { transport in
        let source = try BoxSource(
          transport: transport, tokens: AccessTokens(signIn: CountingSignIn()),
          settings: FeedSettings(apiURL: try webURL("https://127.0.0.1:\(server.port)/2.0")))
        let failure = await failure { () throws(FeedFailure) in
          try await source.read(ReadRequest(position: .now))
        }
        #expect(failure?.code == .unreachable)
      }
      #expect(server.requests.isEmpty)
    }
  }
}
