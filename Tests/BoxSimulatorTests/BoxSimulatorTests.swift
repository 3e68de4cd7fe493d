import BoxSimulator
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@Suite(.timeLimit(.minutes(1))) struct BoxSimulatorTests {
  @Test func logsTheLastRequests() async throws {
    var options = SimulatorOptions()
    options.requestLogCapacity = 3
    try await TestClient.run(options) { simulator, client in
      for limit in 1...5 { _ = try await client.events("limit=\(limit)", headers: ["As-User": "123"]) }
      #expect(simulator.requests.map { $0.query["limit"] } == ["3", "4", "5"])
      #expect(simulator.requests.first?.header("as-user") == "123")
      #expect(simulator.statistics.requests(.events) == 5)
    }
  }

  @Test func producesLiveEvents() async throws {
    var options = SimulatorOptions()
    options.liveInterval = .milliseconds(1)
    options.liveBatch = 2
    options.credentials.users = ["123", "124"]
    try await BoxSimulator.run(options) { simulator in
      try await simulator.wait { $0.entries >= 12 }
      #expect(simulator.ledger(user: "124").count >= 6)
    }
  }

  @Test func everyUserAndTypeHasABacklog() async throws {
    var options = SimulatorOptions()
    options.backlog = 4
    options.feedTypes = ["all", "sync", "admin_logs"]
    options.credentials.users = ["1", "2"]
    try await BoxSimulator.run(options) { simulator in
      for user in ["1", "2"] {
        #expect(simulator.ledger(user: user).count == 4)
        #expect(simulator.ledger(user: user, type: "sync").count == 4)
      }
      #expect(simulator.ledger(type: "admin_logs").count == 4)
      #expect(simulator.statistics.entries == 20)
    }
  }

  @Test func closesIdleConnections() async throws {
    var options = SimulatorOptions()
    options.keepAlive = .zero
    try await BoxSimulator.run(options) { simulator in
      let socket = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: simulator.port).get()
      try await socket.writeAndFlush(ByteBuffer(string: "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")).get()
      try await socket.closeFuture.get()
    }
  }

  @Test func waitingEndsWithTheTaskOrTheSimulator() async throws {
    let simulator = try await BoxSimulator.start()
    let cancelled = Task { try await simulator.wait { _ in false } }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    let waiting = Task { try await simulator.wait { _ in false } }
    try await simulator.stop()
    await #expect(throws: CancellationError.self) { try await waiting.value }
  }

  @Test func runUntilCancelledStops() async throws {
    let simulator = try await BoxSimulator.start()
    let socket = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: simulator.port).get()
    let running = Task { try await simulator.runUntilCancelled() }
    running.cancel()
    try await running.value
    // Its connections are closed. Its port may be anyone's by now: another test's, or that of a process that is just
    // being started and has every descriptor for a moment.
    await withTaskCancellationHandler {
      _ = try? await socket.closeFuture.get()
    } onCancel: {
      socket.close(promise: nil)
    }
    #expect(!Task.isCancelled)
    await #expect(throws: CancellationError.self) { try await simulator.wait { _ in false } }
  }

  @Test func refusesAPortInUse() async throws {
    try await BoxSimulator.run { simulator in
      var options = SimulatorOptions()
      options.port = simulator.port
      await #expect(throws: SimulatorError.self) { try await BoxSimulator.start(options) }
    }
  }
}
