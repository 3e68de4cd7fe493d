import BoxEvents
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// A simulated Box on loopback: tokens, events, realtime server, and faults on request.
///
/// ```swift
/// try await BoxSimulator.run(options) { simulator in
///   simulator.produce(10)
///   simulator.script(.events, [.status(503), .truncate])
///   // … a client of simulator.apiURL …
///   #expect(simulator.ledger().count == 10)
/// }
/// ```
///
/// ``SimulatorOptions/seed`` determines everything. The state is in memory only.
package final class BoxSimulator: Sendable {
  package let port: Int
  /// `http://127.0.0.1:PORT`, where OPTIONS sends the polls: another port than the API's.
  package let realtimeURL: String
  private let origin: String

  package var options: SimulatorOptions { core.options }
  package var apiURL: String { origin + "/2.0" }
  package var tokenURL: String { origin + "/oauth2/token" }
  /// Grants at once and redirects with a code.
  package var authorizeURL: String { origin + "/api/oauth2/authorize" }
  /// See the table at `SimulatorCore.control`.
  package var controlURL: String { origin + "/control" }

  package static let host = "127.0.0.1"

  let core: SimulatorCore
  private let group: MultiThreadedEventLoopGroup
  private let listeners: [any Channel]

  /// Starts to listen.
  /// - Throws: ``SimulatorError`` if a port is in use.
  package static func start(_ options: SimulatorOptions = SimulatorOptions()) async throws -> BoxSimulator {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      let core = SimulatorCore(options: options)
      let listeners = [try await listen(group, options.port, core), try await listen(group, 0, core)]
      let simulator = BoxSimulator(core, group: group, listeners: listeners)
      try await simulator.open()
      return simulator
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  /// Runs `body` with a simulator that is stopped afterwards.
  package static func run<Value>(
    _ options: SimulatorOptions = SimulatorOptions(), _ body: (BoxSimulator) async throws -> Value
  ) async throws -> Value {
    let simulator = try await start(options)
    do {
      let value = try await body(simulator)
      try await simulator.stop()
      return value
    } catch {
      try? await simulator.stop()
      throw error
    }
  }

  private init(_ core: SimulatorCore, group: MultiThreadedEventLoopGroup, listeners: [any Channel]) {
    self.core = core
    self.group = group
    self.listeners = listeners
    let ports = listeners.map { $0.localAddress?.port ?? 0 }
    port = ports[0]
    origin = "http://\(Self.host):\(port)"
    realtimeURL = "http://\(Self.host):\(ports[1])"
  }

  /// A port that accepts nothing yet: the state doesn't know its own addresses before both are bound.
  private static func listen(
    _ group: MultiThreadedEventLoopGroup, _ port: Int, _ core: SimulatorCore
  ) async throws -> any Channel {
    do {
      return try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 4096)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .serverChannelOption(.autoRead, value: false)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
            try pipeline.addHandler(ConnectionHandler(core: core))
          }
        }
        .bind(host: host, port: port).get()
    } catch {
      let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
      throw SimulatorError(
        message: "the simulator cannot listen on \(host):\(port): \(reason)",
        hint: "Choose another port, or 0 to let the system choose.")
    }
  }

  private func open() async throws {
    core.update { [tokenURL, realtimeURL] state in
      state.tokens.audience = tokenURL
      state.realtimeURL = realtimeURL
    }
    for listener in listeners { try await listener.setOption(.autoRead, value: true).get() }
    guard let interval = options.liveInterval else { return }
    let pause = TimeAmount(interval)
    group.next().scheduleRepeatedTask(initialDelay: pause, delay: pause) { [core] _ in
      core.update { $0.produce(core.options.liveBatch) }
    }
  }

  /// Closes every connection and port. Safe to call twice.
  package func stop() async throws {
    core.stop()
    for listener in listeners { try? await listener.close() }
    try await group.shutdownGracefully()
  }

  /// Serves until the task is cancelled, then stops: the body of a service.
  package func runUntilCancelled() async throws {
    // The condition never holds; cancellation ends the wait.
    try? await core.wait { _ in false }
    try await stop()
  }
}

/// A mistake in using the simulator, as opposed to the faults it plays.
package struct SimulatorError: ExplainedError {
  package let message: String
  package let hint: String?
}
