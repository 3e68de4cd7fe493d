import BoxEvents
import BoxSimulator
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

/// The promises of an event source, tested against the simulated Box.
@Suite(.timeLimit(.minutes(5))) struct SimulatorContractTests {
  typealias Method = (BoxSimulator, TokenEndpoint) throws -> any SignIn

  func withBox(
    _ options: SimulatorOptions = SimulatorOptions(),
    signIn: Method = Self.clientCredentials, settings: TransportSettings = TransportSettings(),
    _ body: (BoxSimulator, BoxSource) async throws -> Void
  ) async throws {
    try await BoxSimulator.run(options) { simulator in
      try await withTransport {
        $0 = settings
      } _: { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(simulator.tokenURL))
        let tokens = AccessTokens(signIn: try signIn(simulator, endpoint))
        let source = try BoxSource(
          transport: transport, tokens: tokens, settings: FeedSettings(apiURL: try webURL(simulator.apiURL)))
        try await body(simulator, source)
      }
      #expect(simulator.violations.isEmpty)
    }
  }

  static func clientCredentials(_ simulator: BoxSimulator, _ endpoint: TokenEndpoint) throws -> any SignIn {
    let credentials = simulator.options.credentials
    return ClientCredentials(
      endpoint: endpoint, clientID: credentials.clientID, clientSecret: { Secret(credentials.clientSecret) },
      subject: try #require(Subject("user:\(credentials.users[0])")))
  }

  /// Reads until the position stays the same.
  func drain(_ source: BoxSource) async throws -> (lines: Set<[UInt8]>, position: StreamPosition?) {
    var lines: Set<[UInt8]> = []
    var position: StreamPosition?
    var asked: Set<StreamPosition> = []
    while true {
      let from = position.map { ReadPosition.at($0) } ?? .oldest
      let page = try EventPage(parsing: try await source.read(ReadRequest(position: from)).body)
      let before = lines.count
      for event in page.events { lines.insert(Array(page.bytes[event.range])) }
      guard let next = page.nextPosition else { return (lines, position) }
      if lines.count == before, !asked.insert(next).inserted { return (lines, next) }
      position = next
    }
  }

  @Test(arguments: [true, false], [true, false])
  func readsEveryEvent(_ gzip: Bool, _ chunked: Bool) async throws {
    var options = SimulatorOptions()
    options.backlog = 2000
    options.offersGzip = gzip
    options.usesChunkedEncoding = chunked
    try await withBox(options) { simulator, source in
      let lines = try await drain(source).lines
      #expect(lines == Set(simulator.ledger()))
    }
  }

  @Test func aPollEndsWithANewEvent() async throws {
    var options = SimulatorOptions()
    options.backlog = 3
    try await withBox(options) { simulator, source in
      let position = try #require(try await drain(source).position)
      let server = try await source.subscribe()
      async let reply = source.poll(server, from: .at(position))
      try await simulator.wait { $0.heldPolls == 1 }
      simulator.produce(1)
      let woken = try await reply
      #expect(woken == .newChange)
      let lines = try await drain(source).lines
      #expect(lines.count == 4)
      let poll = try #require(simulator.requests.first { $0.endpoint == .poll })
      #expect(poll.header("authorization") == nil)
    }
  }

  @Test func aPollFromAnOldPositionAnswersAtOnce() async throws {
    var options = SimulatorOptions()
    options.backlog = 100
    try await withBox(options) { simulator, source in
      let position = try #require(try await drain(source).position)
      simulator.produce(1)
      let server = try await source.subscribe()
      let reply = try await source.poll(server, from: .at(position))
      #expect(reply == .newChange)
    }
  }

  @Test(arguments: ["reconnect", "max_retries", "out_of_date", "new_message", "surprise"])
  func passesEveryMessageOn(_ message: String) async throws {
    try await withBox { simulator, source in
      let server = try await source.subscribe()
      simulator.script(.poll, [.message(message)])
      let reply = try await source.poll(server, from: .now)
      #expect(reply == RealtimeReply(message: message))
    }
  }

  @Test(arguments: [
    (Fault.status(429, headers: ["Retry-After": "7"]), FeedFailure.Code.throttled),
    (.status(503), .serverError),
    (.status(403), .forbidden), (.status(400), .refused), (.truncate, .unreachable),
    (.truncateChunks, .unreachable),
    (.resetInBody, .unreachable), (.stall, .unreachable), (.stallInBody, .unreachable),
    (.brokenGzip, .unreachable),
    (.drip(bytes: 1, every: .milliseconds(20)), .unreachable),
  ])
  func mapsEveryFault(_ fault: Fault, _ code: FeedFailure.Code) async throws {
    var options = SimulatorOptions()
    options.backlog = 50
    var settings = TransportSettings()
    settings.readTimeout = .seconds(25)
    settings.requestTimeout = .seconds(50)
    try await withBox(options, settings: settings) { simulator, source in
      _ = try await drain(source)
      simulator.script(.events, [fault])
      let failure = await failure { () throws(FeedFailure) in
        try await source.read(ReadRequest(position: .oldest))
      }
      #expect(failure?.code == code)
      let lines = try await drain(source).lines
      #expect(lines == Set(simulator.ledger()))
    }
  }

  @Test func retriesAfterAReset() async throws {
    try await withBox { simulator, source in
      simulator.script(.events, [.reset])
      _ = try await source.read(ReadRequest(position: .now))
      simulator.script(.events, [.loseAnswer])
      _ = try await source.read(ReadRequest(position: .now))
      #expect(simulator.statistics.requests(.events) == 4)
    }
  }

  @Test func renewsAnExpiredToken() async throws {
    try await withBox { simulator, source in
      _ = try await source.read(ReadRequest(position: .now))
      simulator.expireTokens()
      _ = try await source.read(ReadRequest(position: .now))
      #expect(simulator.statistics.requests(.token) == 2)
      #expect(simulator.statistics.requests(.events) == 3)
    }
  }

  // MARK: Signing in

  @Test func signsInByJWTWithAWrongClock() async throws {
    for offset in [Duration.zero, .seconds(7200), .seconds(-7200)] {
      var options = SimulatorOptions()
      options.clockOffset = offset
      let signIn: Method = { simulator, endpoint in
        let file = simulator.options.credentials.jwtSettings
        return JWTSignIn(endpoint: endpoint, settingsFile: { Secret(file) })
      }
      try await withBox(options, signIn: signIn) { simulator, source in
        _ = try await source.read(ReadRequest(position: .now))
        #expect(simulator.statistics.requests(.token) == (offset == .zero ? 1 : 2))
      }
    }
  }

  @Test func rotatesRefreshTokens() async throws {
    let store = MemoryTokenStore("simulator-refresh-token")
    let signIn: Method = { simulator, endpoint in
      let credentials = simulator.options.credentials
      return RefreshTokenSignIn(
        endpoint: endpoint, clientID: credentials.clientID,
        clientSecret: { Secret(credentials.clientSecret) }, store: store)
    }
    try await withBox(signIn: signIn) { simulator, source in
      _ = try await source.read(ReadRequest(position: .now))
      let first = try #require(store.token)
      #expect(simulator.refreshTokens.contains(first))
      simulator.expireTokens()
      _ = try await source.read(ReadRequest(position: .now))
      let second = try #require(store.token)
      #expect(first != second && simulator.refreshTokens.contains(second))
    }
  }

  @Test func storesTheFirstRefreshTokenOfALogin() async throws {
    try await BoxSimulator.run { simulator in
      try await withTransport { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(simulator.tokenURL))
        let credentials = simulator.options.credentials
        let login = OAuthLogin(clientID: credentials.clientID, tokenURL: try webURL(simulator.tokenURL))
        #expect(login.authorizationURL.hasPrefix(simulator.authorizeURL))
        let store = MemoryTokenStore(nil)
        try await login.finish(
          code: try login.code(pasted: "simulator-code"), clientSecret: Secret(credentials.clientSecret),
          endpoint: endpoint, store: store)
        let token = try #require(store.token)
        #expect(simulator.refreshTokens.contains(token))
      }
    }
  }

  /// Box names the owner once for each login, before the token is used.
  @Test func learnsWhoseTokensTheseAre() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "124"]
    options.credentials.refreshTokens["other-login"] = "124"
    let store = MemoryTokenStore("simulator-refresh-token")
    try await BoxSimulator.run(options) { simulator in
      try await withTransport { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(simulator.tokenURL))
        let credentials = simulator.options.credentials
        let signIn = OwnedSignIn(
          RefreshTokenSignIn(
            endpoint: endpoint, clientID: credentials.clientID,
            clientSecret: { Secret(credentials.clientSecret) }, store: store), transport: transport,
          apiURL: try webURL(simulator.apiURL))
        func asked() -> Int { simulator.requests.count { $0.path == "/2.0/users/me" } }
        #expect(signIn.owner == nil)
        for _ in 0..<3 { _ = try await signIn.signIn() }
        #expect(signIn.owner?.user == "123")
        #expect(signIn.owner?.enterprise == credentials.enterpriseID)
        #expect(asked() == 1)
        try await store.save(Secret("other-login"))
        _ = try await signIn.signIn()
        #expect(signIn.owner?.user == "124" && asked() == 2)
      }
    }
  }

  @Test func readsAProvidedTokenAgain() async throws {
    let file = Mutex("simulator-access-token")
    let signIn: Method = { _, _ in ProvidedToken { Secret(file.withLock { $0 }) } }
    try await withBox(signIn: signIn) { simulator, source in
      _ = try await source.read(ReadRequest(position: .now))
      simulator.expireTokens()
      simulator.addAccessToken("renewed")
      file.withLock { $0 = "renewed" }
      _ = try await source.read(ReadRequest(position: .now))
      #expect(simulator.statistics.requests(.token) == 0)
    }
  }

  @Test func aWrongSecretRequiresAnOperator() async throws {
    try await BoxSimulator.run { simulator in
      try await withTransport { transport in
        let endpoint = try TokenEndpoint(transport: transport, url: webURL(simulator.tokenURL))
        let method = ClientCredentials(
          endpoint: endpoint, clientID: simulator.options.credentials.clientID,
          clientSecret: { Secret("CANARY") },
          subject: try #require(Subject("user:123")))
        let failure = await failure { () throws(FeedFailure) in try await method.signIn() }
        #expect(failure?.code == .signInRefused)
        #expect(!String(describing: failure).contains("CANARY"))
      }
    }
  }
}
