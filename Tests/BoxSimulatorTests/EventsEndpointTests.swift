import BoxSimulator
import NIOCore
import NIOHTTP1
import Testing

@Suite struct EventsEndpointTests {
  @Test(arguments: [1, 40, 500])
  func aSimpleCorrectReaderGetsEverythingExactly(limit: Int) async throws {
    var options = SimulatorOptions()
    options.backlog = 900
    options.feed.oddEvery = 7
    options.feed.duplicatePercent = 10
    options.feed.shortPagePercent = 30
    // `null` is not distinct from another `null`.
    options.feed.oddEvents = OddEvent.allCases.filter { $0 != .nullEntry }
    try await TestClient.run(options) { simulator, client async throws in
      let (entries, _, _) = try await client.readAll(limit: limit)
      #expect(entries == simulator.entries().map(\.bytes))
      #expect(simulator.violations.isEmpty)
    }
  }

  @Test func pagesRepeatEvents() async throws {
    var options = SimulatorOptions()
    options.backlog = 3000
    try await TestClient.run(options) { simulator, client async throws in
      let (entries, repeats, pages) = try await client.readAll()
      #expect(entries == simulator.ledger())
      #expect(repeats > pages.count)
      #expect(pages.contains { $0.chunkSize != "\($0.entries.count)" })
    }
  }

  @Test func nowThenNewEventsOnly() async throws {
    var options = SimulatorOptions()
    options.backlog = 20
    options.feed = .exact
    try await TestClient.run(options) { simulator, client async throws in
      let page = try #require(TestPage(try await client.events("stream_position=now").body))
      #expect(page.entries.isEmpty)
      #expect(page.next == simulator.newestPosition())
      simulator.produce(3)
      let (entries, _, _) = try await client.readAll(from: page.next)
      #expect(entries == Array(simulator.ledger().suffix(3)))
    }
  }

  @Test func limitIs100ByDefaultAnd500AtMost() async throws {
    var options = SimulatorOptions()
    options.backlog = 900
    options.feed = .exact
    try await TestClient.run(options) { _, client async throws in
      #expect(TestPage(try await client.events().body)?.entries.count == 100)
      #expect(TestPage(try await client.events("limit=7").body)?.entries.count == 7)
      #expect(TestPage(try await client.events("limit=5000").body)?.entries.count == 500)
      #expect(try await client.events("limit=many").status == 400)
    }
  }

  @Test(arguments: ["1.152922976252290886e%2B18", "-1", "", "12a", "99999999999999999999999"])
  func malformedPositionsAreRefused(_ position: String) async throws {
    try await TestClient.run { _, client async throws in
      let reply = try await client.events("stream_position=\(position)")
      #expect(reply.status == 400)
      #expect(reply.text.contains("malformed"))
    }
  }

  @Test func aChangedPositionIsAViolation() async throws {
    var options = SimulatorOptions()
    options.backlog = 10
    try await TestClient.run(options) { simulator, client async throws in
      let position = try #require(UInt64(simulator.newestPosition()))
      #expect(try await client.events("stream_position=\(position)").status == 200)
      #expect(simulator.violations.isEmpty)
      #expect(try await client.events("stream_position=\(position + 3)").status == 200)
      #expect(simulator.violations.map(\.kind) == [.unknownPosition])
    }
  }

  @Test func aBadTokenGetsAnEmpty401() async throws {
    try await TestClient.run { simulator, client async throws in
      var stranger = client
      stranger.token = "unknown"
      let reply = try await stranger.events()
      #expect(reply.status == 401)
      #expect(reply.body.isEmpty)
      #expect(reply.headers.first(name: "www-authenticate")?.contains("invalid_token") == true)
      #expect(try await client.events().status == 200)
      simulator.expireTokens()
      #expect(try await client.events().status == 401)
      #expect(try await client.options().status == 401)
    }
  }

  @Test func usersAndTypesHaveStreamsOfTheirOwn() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "124"]
    options.feed = .exact
    try await TestClient.run(options) { simulator, client async throws in
      simulator.produce(2)
      simulator.produce(3, user: "124")
      simulator.produce(4, user: "124", type: "changes")
      func count(_ query: String, _ headers: HTTPHeaders) async throws -> Int? {
        TestPage(try await client.events(query, headers: headers).body)?.entries.count
      }
      #expect(try await count("", [:]) == 2)
      #expect(try await count("", ["As-User": "124"]) == 3)
      #expect(try await count("stream_type=changes", ["As-User": "124"]) == 4)
      #expect(try await count("stream_type=sync", ["As-User": "124"]) == 0)
      #expect(try await client.events(headers: ["As-User": "999"]).status == 403)
      #expect(try await client.events("stream_type=odd").status == 400)
    }
  }

  @Test func positionsAreNumbersOrStrings() async throws {
    var options = SimulatorOptions()
    options.feedTypes = ["all", "admin_logs_streaming"]
    options.backlog = 5
    try await TestClient.run(options) { simulator, client in
      #expect(TestPage(try await client.events().body)?.position == simulator.newestPosition())
      let enterprise = try await client.events("stream_type=admin_logs_streaming")
      let newest = simulator.newestPosition(type: "admin_logs_streaming")
      #expect(TestPage(enterprise.body)?.position == "\"\(newest)\"")
      #expect(enterprise.text.contains("ip_address"))
    }
    options.feed.positionsAsStrings = true
    try await TestClient.run(options) { simulator, client async throws in
      #expect(TestPage(try await client.events().body)?.position == "\"\(simulator.newestPosition())\"")
    }
  }

  @Test func gzipOnlyWhenAskedFor() async throws {
    var options = SimulatorOptions()
    options.backlog = 100
    options.feed = .exact
    try await TestClient.run(options) { simulator, client in
      let plain = try await client.events()
      #expect(!plain.headers.contains(name: "content-encoding"))
      let small = try await client.events(headers: ["Accept-Encoding": "gzip"])
      #expect(small.headers.first(name: "content-encoding") == "gzip")
      #expect(small.body.starts(with: [0x1F, 0x8B]))
      #expect(small.body.count * 5 < plain.body.count)
    }
  }

  @Test func chunkedAnswersSayTheSame() async throws {
    var options = SimulatorOptions()
    options.backlog = 10
    options.usesChunkedEncoding = true
    try await TestClient.run(options) { simulator, client in
      let reply = try await client.events()
      #expect(reply.headers.first(name: "transfer-encoding") == "chunked")
      #expect(TestPage(reply.body)?.entries.last == simulator.ledger().last)
    }
  }

  @Test func theDateIsBoxsClock() async throws {
    var options = SimulatorOptions()
    options.clockOffset = .seconds(-10 * 365 * 86_400)
    try await TestClient.run(options) { _, client in
      let date = try #require(try await client.events().headers.first(name: "date"))
      let match = try #require(date.firstMatch(of: #/^\w{3}, \d\d \w{3} (\d{4}) \d\d:\d\d:\d\d GMT$/#))
      #expect(Int(match.1).map { $0 < 2024 } == true)
    }
  }

  @Test func aTwentyMegabyteEventAndRawEntriesAreServedAsTheyAre() async throws {
    var options = SimulatorOptions()
    options.feed = .exact
    try await TestClient.run(options) { simulator, client in
      simulator.produceLarge(byteCount: 20 << 20)
      simulator.append(#"{"event_id":1e3, "x" : "\ud800"}"#)
      simulator.append("null")
      let (entries, _, _) = try await client.readAll()
      #expect(entries == simulator.entries().map(\.bytes))
      #expect(entries.map(\.count).first == 20 << 20)
      #expect(simulator.ledger().count == 2)
    }
  }

  @Test func hotLoopsAreNoticed() async throws {
    var options = SimulatorOptions()
    options.hotLoopLimit = 5
    options.backlog = 3000
    options.feed = .exact
    try await TestClient.run(options) { simulator, client in
      _ = try await client.readAll(limit: 50)
      #expect(simulator.violations.isEmpty)
      // Enough reads that two seconds can't share them below the limit each.
      let newest = simulator.newestPosition()
      while simulator.violations.isEmpty, simulator.statistics.requests(.events) < 5000 {
        _ = try await client.events("stream_position=\(newest)")
      }
      #expect(simulator.violations.map(\.kind) == [.hotLoop])
    }
  }
}
