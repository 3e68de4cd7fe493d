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
/// Everything is drawn from ``SimulatorOptions/seed``. State lives in memory and ends with it.
package final class BoxSimulator: Sendable {
  package let options: SimulatorOptions
  /// `http://127.0.0.1:PORT/2.0`
  package let apiURL: String
  /// `http://127.0.0.1:PORT/oauth2/token`
  package let tokenURL: String
  /// `http://127.0.0.1:PORT/api/oauth2/authorize`: grants at once and redirects with a code.
  package let authorizeURL: String
  /// `http://127.0.0.1:PORT`, where OPTIONS sends the polls.
  package let realtimeURL: String
  /// `http://127.0.0.1:PORT/control`; see the table at `SimulatorCore.control`.
  package let controlURL: String
  package let port: Int

  let core: SimulatorCore
  private let group: MultiThreadedEventLoopGroup
  private let listeners: [any Channel]

  /// Starts to listen.
  /// - Throws: ``SimulatorError`` if a port can't be listened on.
  package static func start(_ options: SimulatorOptions = SimulatorOptions()) async throws -> BoxSimulator {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, options.threads))
    do {
      let core = SimulatorCore(options: options)
      var listeners = [try await listen(group, options.host, options.port, core)]
      if let port = options.realtimePort {
        listeners.append(try await listen(group, options.host, port, core))
      }
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
    options = core.options
    let ports = listeners.map { $0.localAddress?.port ?? 0 }
    port = ports.first ?? 0
    let base = "http://\(options.host):\(port)"
    apiURL = base + "/2.0"
    tokenURL = base + "/oauth2/token"
    authorizeURL = base + "/api/oauth2/authorize"
    controlURL = base + "/control"
    realtimeURL = "http://\(options.host):\(ports.last ?? 0)"
  }

  /// A port that accepts nothing yet: the state doesn't know its own addresses before all are bound.
  private static func listen(
    _ group: MultiThreadedEventLoopGroup, _ host: String, _ port: Int, _ core: SimulatorCore
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
      throw SimulatorError(
        .cannotListen, "the simulator can't listen on \(host):\(port): \(error)",
        hint: "Choose another port, or 0 to let the system choose.", underlying: error)
    }
  }

  private func open() async throws {
    core.update { [tokenURL, realtimeURL] state in
      state.tokens.audience = state.options.credentials.audience ?? tokenURL
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
