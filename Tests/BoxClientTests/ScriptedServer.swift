import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// What a test's server does with one request: bytes on the wire, pauses and rude endings.
struct Reply: Sendable {
  enum Step: Sendable {
    case send(String)
    case bytes([UInt8])
    case pause(TimeAmount)
    case close
    case reset
    /// Nothing more, and the connection stays.
    case silence
  }

  var steps: [Step]

  init(_ steps: Step...) {
    self.steps = steps
  }

  /// A complete answer on a connection that stays.
  static func answer(_ status: Int = 200, _ body: String = "", headers: [String] = []) -> Reply {
    let lines = ["HTTP/1.1 \(status) Status", "Content-Length: \(body.utf8.count)"] + headers
    return Reply(.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body))
  }

  static func gzip(_ body: [UInt8]) -> Reply {
    Reply(
      .send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"),
      .bytes(body))
  }
}

/// A request as it stood on the wire.
struct RecordedRequest: Sendable {
  var method: String
  var target: String
  /// Names in lower case.
  var headers: [String: String]
  var body: String
  /// Counts the server's connections from 0.
  var connection: Int

  /// A field of the form in the body, still encoded.
  func field(_ name: String) -> String? {
    body.split(separator: "&").first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }
}

/// A server on loopback that answers by a script: in ways no HTTP library would let it.
final class ScriptedServer: Sendable {
  typealias Script = @Sendable (RecordedRequest, _ index: Int) -> Reply

  private struct State {
    var requests: [RecordedRequest] = []
    var connections = 0
    var closed = 0
    var waiters: [(condition: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())
  private let channel: any Channel
  let port: Int
  var origin: String { "http://127.0.0.1:\(port)" }

  static func run<Value>(_ script: @escaping Script, _ body: (ScriptedServer) async throws -> Value)
    async throws -> Value
  {
    let box = Box()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let server = box.server.withLock({ $0 }) else { return }
          try channel.pipeline.syncOperations.addHandler(Connection(server, script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = ScriptedServer(channel)
    box.server.withLock { $0 = server }
    defer { channel.close(promise: nil) }
    return try await body(server)
  }

  var requests: [RecordedRequest] { state.withLock { $0.requests } }
  var connections: Int { state.withLock { $0.connections } }

  /// Returns when so many requests have arrived.
  func waitForRequests(_ count: Int) async { await wait { $0.requests.count >= count } }

  /// Returns when so many of the clients' connections have ended.
  func waitForClosedConnections(_ count: Int) async { await wait { $0.closed >= count } }

  private init(_ channel: any Channel) {
    self.channel = channel
    self.port = channel.localAddress?.port ?? 0
  }

  private final class Box: Sendable {
    let server = Mutex<ScriptedServer?>(nil)
  }

  private func wait(_ condition: @escaping @Sendable (State) -> Bool) async {
    await withCheckedContinuation { continuation in
      state.withLock { $0.waiters.append((condition, continuation)) }
      wake()
    }
  }

  private func wake() {
    let ready = state.withLock { state in
      let now = state
      state.waiters.removeAll { $0.condition(now) }
      return now.waiters.filter { $0.condition(now) }.map(\.continuation)
    }
    for continuation in ready { continuation.resume() }
  }

  fileprivate func opened() -> Int {
    state.withLock { state in
      state.connections += 1
      return state.connections - 1
    }
  }

  fileprivate func ended() {
    state.withLock { $0.closed += 1 }
    wake()
  }

  fileprivate func record(_ request: RecordedRequest) -> Int {
    let index = state.withLock { state in
      state.requests.append(request)
      return state.requests.count - 1
    }
    wake()
    return index
  }
}

/// One connection: cuts requests out of the bytes and plays the replies.
private final class Connection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let server: ScriptedServer
  private let script: ScriptedServer.Script
  private let number: Int
  private var received = ""

  init(_ server: ScriptedServer, _ script: @escaping ScriptedServer.Script) {
    self.server = server
    self.script = script
    number = server.opened()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += String(buffer: unwrapInboundIn(data))
    while let request = nextRequest() {
      let index = server.record(request)
      play(script(request, index).steps[...], context.channel)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    server.ended()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func nextRequest() -> RecordedRequest? {
    guard let end = received.firstRange(of: "\r\n\r\n") else { return nil }
    var lines = received[..<end.lowerBound].split(separator: "\r\n").map(String.init)
    let start = lines.removeFirst().split(separator: " ").map(String.init)
    var headers: [String: String] = [:]
    for line in lines {
      guard let colon = line.firstRange(of: ": ") else { continue }
      headers[line[..<colon.lowerBound].lowercased()] = String(line[colon.upperBound...])
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    let rest = received[end.upperBound...]
    guard rest.utf8.count >= length else { return nil }
    let body = String(decoding: Array(rest.utf8.prefix(length)), as: UTF8.self)
    received = String(decoding: Array(rest.utf8.dropFirst(length)), as: UTF8.self)
    return RecordedRequest(
      method: start[0], target: start[1], headers: headers, body: body, connection: number)
  }

  private func play(_ steps: ArraySlice<Reply.Step>, _ channel: any Channel) {
    guard let step = steps.first else { return }
    let rest = steps.dropFirst()
    switch step {
    case .send(let text): channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    case .bytes(let bytes): channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    case .pause(let time):
      let next = NIOLoopBound((self, rest, channel), eventLoop: channel.eventLoop)
      channel.eventLoop.scheduleTask(in: time) {
        let (connection, rest, channel) = next.value
        connection.play(rest, channel)
      }
      return
    case .close: channel.close(promise: nil)
    case .reset:
      (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        .whenComplete { _ in channel.close(promise: nil) }
    case .silence: return
    }
    play(rest, channel)
  }
}
