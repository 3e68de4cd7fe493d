import BoxSimulator
import NIOHTTP1
import Testing

@Suite struct ControlTests {
  private func post(_ client: TestClient, _ path: String, body: String? = nil) async throws
    -> TestClient.Reply
  {
    try await client.send(.POST, "\(client.simulator.controlURL)/\(path)", body: body)
  }

  private func get(_ client: TestClient, _ path: String) async throws -> TestClient.Reply {
    try await client.send(.GET, "\(client.simulator.controlURL)/\(path)")
  }

  @Test func eventsAndLedger() async throws {
    try await TestClient.run { simulator, client async throws in
      #expect(try await post(client, "produce?count=3").status == 200)
      #expect(try await post(client, "produce?count=2&user=123&type=changes").status == 200)
      _ = try await post(client, "append", body: #"{"event_id":"raw"}"#)
      _ = try await post(client, "odd?kind=spaced")
      _ = try await post(client, "odd?kind=null-entry")
      _ = try await post(client, "large?bytes=100000")
      let lines = try await get(client, "ledger").text.split(separator: "\n")
      #expect(lines.count == 6)
      #expect(lines[3] == #"{"event_id":"raw"}"#)
      #expect(lines[5].utf8.count == 100_000)
      #expect(try await get(client, "ledger?all=1&from=4&count=2").text.hasSuffix("}\nnull\n"))
      #expect(try await get(client, "times").text.split(separator: "\n").count == 7)
      #expect(simulator.ledger(type: "changes").count == 2)
      _ = try await post(client, "drop-oldest?count=6")
      #expect(TestPage(try await client.events().body)?.entries.count == 1)
    }
  }

  @Test func tokensClockAndFaults() async throws {
    try await TestClient.run { simulator, client async throws in
      _ = try await post(client, "faults?endpoint=events&script=503,429:1&rates=html=100")
      var statuses: [Int] = []
      for _ in 0..<2 { statuses.append(try await client.events().status) }
      #expect(statuses == [503, 429])
      #expect(try await client.events().text.hasPrefix("<html>"))
      _ = try await post(client, "faults?endpoint=events&rates=")
      #expect(try await client.events().status == 200)
      _ = try await post(client, "expire-tokens")
      #expect(try await client.events().status == 401)
      _ = try await post(client, "clock?offset=-1000000000")
      let year = try await client.events().headers.first(name: "date")?.split(separator: " ")[3]
      #expect(year.flatMap { Int($0) }.map { $0 < 2015 } == true)
      #expect(try await get(client, "stats").text.contains(#""events":6"#))
      #expect(try await get(client, "requests").text.hasPrefix("GET /2.0/events?\n"))
      #expect(try await get(client, "violations").text.isEmpty)
    }
  }

  @Test(arguments: [
    "faults?endpoint=nowhere", "faults?endpoint=events&script=odd", "faults?endpoint=events&rates=503",
    "odd?kind=even",
  ])
  func explainsMistakes(_ path: String) async throws {
    try await TestClient.run { _, client async throws in
      let reply = try await post(client, path)
      #expect(reply.status == 400)
      #expect(reply.text.contains("“"))
    }
  }

  @Test func unknownPathsAndMethods() async throws {
    try await TestClient.run { simulator, client async throws in
      #expect(try await post(client, "nothing").status == 404)
      #expect(try await get(client, "nothing").status == 404)
      #expect(try await client.send(.GET, "\(simulator.apiURL)/files").status == 404)
      #expect(try await client.send(.DELETE, "\(simulator.apiURL)/events").status == 405)
      #expect(simulator.requests.map(\.endpoint) == [nil, nil])
    }
  }
}
