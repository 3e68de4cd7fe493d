import NIOCore
import NIOPosix
package import NIOSSL
import Synchronization

/// A server on loopback that answers by a script, also with what is not valid HTTP.
package final class ScriptedServer: Sendable {
  /// - `index`: the number of the request, from 0.
  package typealias Script = @Sendable (_ request: RecordedRequest, _ index: Int) -> Reply

  private struct State {
    var requests: [RecordedRequest] = []
    var connections = 0
    var closed = 0
    var waiters: [(condition: @Sendable (State) -> Bool, waiter: AsyncStream<Never>.Continuation)] = []
  }

  private let state = Mutex(State())
  private let channel: any Channel
  private let scheme: String
  package let port: Int
  package var origin: String { "\(scheme)://127.0.0.1:\(port)" }

  /// Runs a server while `body` runs.
  /// - Parameter tls: its certificate and key; nil for plain HTTP.
  package static func run<Value>(
    tls: NIOSSLContext? = nil, _ script: @escaping Script, _ body: (ScriptedServer) async throws -> Value
  ) async throws -> Value {
    let box = Box()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let server = box.server.withLock({ $0 }) else { return }
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.addHandler(ScriptedConnection(server, script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = ScriptedServer(channel, isSecure: tls != nil)
    box.server.withLock { $0 = server }
    defer { channel.close(promise: nil) }
    return try await body(server)
  }

  package var requests: [RecordedRequest] { state.withLock { $0.requests } }
  package var connections: Int { state.withLock { $0.connections } }

  /// Returns when so many connections have been opened.
  package func waitForConnections(_ count: Int) async { await wait { $0.connections >= count } }

  /// Returns when so many requests have arrived.
  package func waitForRequests(_ count: Int) async { await wait { $0.requests.count >= count } }

  /// Returns when so many of the clients' connections have ended.
  package func waitForClosedConnections(_ count: Int) async { await wait { $0.closed >= count } }

  private init(_ channel: any Channel, isSecure: Bool) {
    self.channel = channel
    self.scheme = isSecure ? "https" : "http"
    self.port = channel.localAddress?.port ?? 0
  }

  private final class Box: Sendable {
    let server = Mutex<ScriptedServer?>(nil)
  }

  /// Returns when the condition holds, or the test is cancelled: a time limit ends its waits.
  private func wait(_ condition: @escaping @Sendable (State) -> Bool) async {
    let (there, waiter) = AsyncStream.makeStream(of: Never.self)
    state.withLock { $0.waiters.append((condition, waiter)) }
    wake()
    for await _ in there {}
  }

  private func wake() {
    let ready = state.withLock { state in
      let now = state
      state.waiters.removeAll { $0.condition(now) }
      return now.waiters.filter { $0.condition(now) }.map(\.waiter)
    }
    for waiter in ready { waiter.finish() }
  }

  // MARK: Called by connections

  func opened() -> Int {
    defer { wake() }
    return state.withLock { state in
      state.connections += 1
      return state.connections - 1
    }
  }

  func ended() {
    state.withLock { $0.closed += 1 }
    wake()
  }

  func record(_ request: RecordedRequest) -> Int {
    let index = state.withLock { state in
      state.requests.append(request)
      return state.requests.count - 1
    }
    wake()
    return index
  }
}
