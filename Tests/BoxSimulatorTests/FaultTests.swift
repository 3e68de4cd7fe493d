import AsyncHTTPClient
import BoxSimulator
import NIOCore
import NIOHTTP1
import Testing

@Suite struct FaultTests {
  private static var options: SimulatorOptions {
    var options = SimulatorOptions()
    options.backlog = 100
    options.feed = .exact
    return options
  }

  /// Applies one fault to a read, then checks that the next answer is complete.
  private func play(
    _ fault: Fault, _ check: (BoxSimulator, TestClient, TestClient.Reply?) async throws -> Void
  ) async throws {
    try await TestClient.run(Self.options) { simulator, client in
      simulator.script(.events, [fault])
      let reply = try? await client.events()
      try await check(simulator, client, reply)
      #expect(simulator.scripted(.events) == 0)
      #expect(simulator.statistics.faults == [.events: 1])
      if fault != .expireToken {
        #expect(TestPage(try await client.events().body)?.entries == simulator.ledger())
      }
    }
  }

  @Test func statusesWithHeadersAndBodies() async throws {
    try await play(.status(429, headers: ["retry-AFTER": "7"])) { _, _, reply in
      #expect(reply?.status == 429)
      #expect(reply?.headers.first(name: "Retry-After") == "7")
      #expect(reply?.text.contains(#""code":"too_many_requests""#) == true)
    }
    try await play(.status(503)) { _, _, reply in
      #expect(reply?.status == 503)
      #expect(reply?.text.hasPrefix("<html>") == true)
    }
    try await play(.status(418, body: "teapot")) { _, _, reply in
      #expect(reply?.status == 418)
      #expect(reply?.text == "teapot")
    }
    try await play(.status(401)) { _, _, reply in #expect(reply?.body == []) }
  }

  @Test func otherBodiesWith200() async throws {
    try await play(.html) { _, _, reply in
      #expect(reply?.status == 200)
      #expect(reply?.text.hasPrefix("<html>") == true)
    }
    try await play(.body("")) { _, _, reply in #expect(reply?.body == []) }
    try await play(.message("odd")) { _, _, reply in
      #expect(reply?.text == #"{"version":1,"message":"odd"}"#)
    }
    try await play(.truncateJSON) { _, _, reply in
      #expect(reply?.status == 200)
      #expect(reply?.body.first == UInt8(ascii: "{"))
      #expect(reply.flatMap { TestPage($0.body) } == nil)
    }
  }

  @Test(arguments: [
    Fault.reset, .loseAnswer, .resetInBody, .truncate, .truncateChunks,
    .delayed(.milliseconds(5), then: .reset),
  ])
  func brokenConnections(_ fault: Fault) async throws {
    try await play(fault) { _, _, reply in #expect(reply == nil) }
  }

  @Test func theHeadArrivesBeforeABrokenBody() async throws {
    for fault in [Fault.resetInBody, .truncate, .truncateChunks, .stallInBody] {
      try await TestClient.run(Self.options) { simulator, client in
        simulator.script(.events, [fault])
        var request = HTTPClientRequest(url: "\(simulator.apiURL)/events")
        request.headers = ["Authorization": "Bearer \(client.token)"]
        let response = try await client.http.execute(request, timeout: .seconds(300))
        #expect(response.status == .ok)
      }
    }
  }

  @Test(arguments: [
    Fault.delayed(.milliseconds(5)), .pausedBody(.milliseconds(5)),
    .drip(bytes: 5000, every: .milliseconds(1)),
  ])
  func slowAnswersAreComplete(_ fault: Fault) async throws {
    try await play(fault) { simulator, _, reply in
      #expect(reply.flatMap { TestPage($0.body) }?.entries == simulator.ledger())
    }
  }

  @Test func slowChunkedAnswersAreComplete() async throws {
    var options = Self.options
    options.usesChunkedEncoding = true
    try await TestClient.run(options) { simulator, client async throws in
      for fault in [Fault.pausedBody(.milliseconds(5)), .drip(bytes: 9999, every: .milliseconds(1))] {
        simulator.script(.events, [fault])
        #expect(TestPage(try await client.events().body)?.entries == simulator.ledger())
      }
    }
  }

  @Test(arguments: [Fault.stall, .stallInBody])
  func stallsLastUntilTheClientLeaves(_ fault: Fault) async throws {
    try await TestClient.run(Self.options) { simulator, client async throws in
      simulator.script(.events, [fault])
      let read = Task { try await client.events() }
      try await simulator.wait { $0.faults[.events] == 1 }
      read.cancel()
      await #expect(throws: (any Error).self) { try await read.value }
    }
  }

  @Test func damagedGzip() async throws {
    try await play(.brokenGzip) { _, _, reply async throws in
      #expect(reply?.headers.first(name: "content-encoding") == "gzip")
      #expect(reply?.body.starts(with: [0x1F, 0x8B]) == false)
    }
    try await play(.truncatedGzip) { _, _, reply async throws in
      #expect(reply?.headers.first(name: "content-encoding") == "gzip")
      #expect(reply?.body.starts(with: [0x1F, 0x8B]) == true)
    }
  }

  @Test func jsonIsCutBeforeItIsCompressed() async throws {
    try await TestClient.run(Self.options) { simulator, client async throws in
      func lengthOfIntact(_ faults: [Fault]) async throws -> Int {
        simulator.script(.events, faults)
        let reply = try await client.events(headers: ["Accept-Encoding": "gzip"])
        #expect(reply.status == 200)
        #expect(reply.headers.first(name: "content-encoding") == "gzip")
        // The last four bytes of an intact stream are its length uncompressed (RFC 1952).
        return reply.body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      }
      let intact = try await lengthOfIntact([])
      #expect(try await lengthOfIntact([.truncateJSON]) == intact / 2)
      #expect(try await lengthOfIntact([.truncatedGzip]) != intact)
    }
  }

  @Test func anExpiredTokenStaysExpired() async throws {
    try await play(.expireToken) { _, client, reply async throws in
      #expect(reply?.status == 401)
      #expect(try await client.events().status == 401)
    }
  }

  @Test func aLostAnswerWasProcessed() async throws {
    try await TestClient.run { simulator, client async throws in
      simulator.script(.token, [.reset, .loseAnswer])
      func refresh() async throws -> Int {
        try await client.grant([
          "grant_type": "refresh_token", "refresh_token": "simulator-refresh-token",
          "client_id": "simulator-client", "client_secret": "simulator-secret",
        ]).status
      }
      await #expect(throws: (any Error).self) { try await refresh() }
      #expect(simulator.refreshTokens == ["simulator-refresh-token"])
      await #expect(throws: (any Error).self) { try await refresh() }
      #expect(try await refresh() == 400)
    }
  }

  @Test func scriptsGoToTheirEndpointInOrder() async throws {
    try await TestClient.run(Self.options) { simulator, client async throws in
      simulator.script(.events, [.status(500), .none, .status(502)])
      simulator.script(.options, [.status(409)])
      simulator.script(.poll, [.message("whatever")])
      let url = "\(simulator.realtimeURL)/subscribe?channel=x"
      #expect(try await client.options().status == 409)
      #expect(try await client.send(.GET, url).text.contains("whatever"))
      for status in [500, 200, 502, 200] { #expect(try await client.events().status == status) }
      simulator.script(.events, [.status(500)])
      simulator.clearScript(.events)
      #expect(try await client.events().status == 200)
    }
  }

  @Test func ratesAreReproducible() async throws {
    func statuses(seed: UInt64) async throws -> [Int] {
      var options = Self.options
      options.seed = seed
      options.faultRates[.options] = try FaultRates("429=20,503=20")
      var statuses: [Int] = []
      try await TestClient.run(options) { _, client in
        for _ in 0..<60 { statuses.append(try await client.options().status) }
      }
      return statuses
    }
    let first = try await statuses(seed: 3)
    #expect(Set(first) == [200, 429, 503])
    #expect(try await statuses(seed: 3) == first)
    #expect(try await statuses(seed: 4) != first)
  }
}
