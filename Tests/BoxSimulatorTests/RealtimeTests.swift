import BoxSimulator
import NIOHTTP1
import Testing

@Suite struct RealtimeTests {
  private func message(_ text: String) -> String { #"{"version":1,"message":"\#(text)"}"# }

  @Test func optionsNamesAServer() async throws {
    try await TestClient.run { simulator, client in
      let text = try await client.options("stream_type=all").text
      #expect(text.contains(#""type":"realtime_server""#))
      #expect(text.contains(#""ttl":"10""#))
      #expect(text.contains(#""max_retries":"10""#))
      #expect(text.contains(#""retry_timeout":"610""#))
      #expect(try await client.pollURL().hasPrefix("\(simulator.realtimeURL)/subscribe?channel="))
      #expect(!simulator.realtimeURL.hasSuffix(":\(simulator.port)"))
      #expect(try await client.options("stream_type=admin_logs").status == 400)
    }
  }

  @Test func numbersByOption() async throws {
    var options = SimulatorOptions()
    options.realtime.writesNumbers = true
    try await TestClient.run(options) { _, client async throws in
      #expect(try await client.options().text.contains(#""ttl":10,"#))
    }
  }

  @Test func answersAtOnceIfSomethingIsNewer() async throws {
    var options = SimulatorOptions()
    options.backlog = 5
    options.realtime.changeMessage = "new_message"
    try await TestClient.run(options) { simulator, client in
      let old = simulator.newestPosition()
      simulator.produce(1)
      let reply = try await client.send(.GET, try await client.pollURL() + "&stream_position=\(old)")
      #expect(reply.text == message("new_message"))
      #expect(reply.headers.first(name: "connection") == "close")
    }
  }

  @Test func holdsAPollUntilItsOwnFeedGrows() async throws {
    var options = SimulatorOptions()
    options.credentials.users = ["123", "124"]
    try await TestClient.run(options) { simulator, client in
      let url = try await client.pollURL("stream_type=changes", headers: ["As-User": "124"])
      let position = simulator.newestPosition(user: "124", type: "changes")
      async let reply = client.send(.GET, url + "&stream_position=\(position)")
      try await simulator.wait { $0.heldPolls == 1 }
      simulator.produce(1)
      simulator.produce(1, user: "124")
      #expect(simulator.statistics.heldPolls == 1)
      simulator.produce(1, user: "124", type: "changes")
      #expect(try await reply.text == message("new_change"))
      #expect(simulator.statistics.heldPolls == 0)
    }
  }

  @Test func answersReconnectAtTheTimeout() async throws {
    var options = SimulatorOptions()
    options.realtime.hold = .milliseconds(20)
    try await TestClient.run(options) { simulator, client in
      let url = try await client.pollURL()
      let position = simulator.newestPosition()
      #expect(try await client.send(.GET, url + "&stream_position=\(position)").text == message("reconnect"))
      #expect(simulator.statistics.heldPolls == 0)
    }
  }

  @Test func wakesPollsWithoutAnEvent() async throws {
    try await TestClient.run { simulator, client in
      let url = try await client.pollURL()
      async let reply = client.send(.GET, url)
      try await simulator.wait { $0.heldPolls == 1 }
      simulator.wakePolls()
      #expect(try await reply.text == message("new_change"))
    }
  }

  @Test(arguments: [200, 410])
  func refusesPollsBeyondTheMaximum(_ status: Int) async throws {
    var options = SimulatorOptions()
    options.backlog = 1
    options.realtime.maximumPolls = 2
    options.realtime.exhaustionStatus = status
    try await TestClient.run(options) { _, client async throws in
      let url = try await client.pollURL() + "&stream_position=1"
      for _ in 0..<2 { #expect(try await client.send(.GET, url).text == message("new_change")) }
      let reply = try await client.send(.GET, url)
      #expect(reply.text == message("max_retries"))
      #expect(reply.status == status)
    }
  }

  @Test func serversExpireAndUnknownChannelsReconnect() async throws {
    var options = SimulatorOptions()
    options.realtime.timeToLive = .zero
    try await TestClient.run(options) { simulator, client async throws in
      #expect(try await client.send(.GET, try await client.pollURL()).text == message("reconnect"))
      let unknown = "\(simulator.realtimeURL)/subscribe?channel=0"
      #expect(try await client.send(.GET, unknown).text == message("reconnect"))
    }
  }

  @Test func recordsAChangedPosition() async throws {
    var options = SimulatorOptions()
    options.backlog = 2
    try await TestClient.run(options) { simulator, client async throws in
      let url = try await client.pollURL()
      _ = try await client.send(.GET, url + "&stream_position=1152922976252290816")
      #expect(simulator.violations.map(\.kind) == [.unknownPosition])
    }
  }

  @Test func anOldPositionIsOutOfDate() async throws {
    var options = SimulatorOptions()
    options.backlog = 1
    options.realtime.outOfDateAfter = 10
    try await TestClient.run(options) { simulator, client in
      let position = simulator.newestPosition()
      let url = try await client.pollURL() + "&stream_position=\(position)"
      simulator.produce(10)
      #expect(try await client.send(.GET, url).text == message("new_change"))
      simulator.produce(1)
      #expect(try await client.send(.GET, url).text == message("out_of_date"))
    }
  }

  @Test func refusesAndRecordsAuthorization() async throws {
    try await TestClient.run { simulator, client in
      let reply = try await client.send(
        .GET, try await client.pollURL(), headers: ["Authorization": "Bearer x"])
      #expect(reply.status == 400)
      #expect(simulator.violations.map(\.kind) == [.authorizationAtRealtime])
    }
  }

  @Test func releasesThePollOfADisconnectedClient() async throws {
    try await TestClient.run { simulator, client in
      let url = try await client.pollURL()
      let poll = Task { try await client.send(.GET, url) }
      try await simulator.wait { $0.heldPolls == 1 }
      poll.cancel()
      try await simulator.wait { $0.heldPolls == 0 }
      #expect(await poll.result.isFailure)
    }
  }
}

extension Result {
  fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
