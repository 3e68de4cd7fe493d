import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import TestSystem
import Testing

@testable import EventDaemon

@Suite(.timeLimit(.minutes(10))) struct StatusServerTests {
  private let folder: TemporaryFolder
  private var socket: String { folder.path + "/status.sock" }

  init() throws { folder = try TemporaryFolder() }

  /// Runs a server until `body` has returned, and stops it as the daemon would.
  private func withServer(
    listen: ListenAddress? = nil, _ streams: [StreamSnapshot] = [Snapshots.healthy],
    _ body: ([StatusServer.Endpoint]) async throws -> Void
  ) async throws {
    var configuration = Configuration.Status()
    configuration.socket = socket
    configuration.listen = listen
    let (endpoints, continuation) = AsyncStream<StatusServer.Endpoint>.makeStream()
    let server = StatusServer(
      configuration: configuration, onListening: { continuation.yield($0) },
      snapshot: { Snapshots.daemon(streams) })
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        defer { continuation.finish() }
        try await group.run()
      }
      var listening: [StatusServer.Endpoint] = []
      for await endpoint in endpoints {
        listening.append(endpoint)
        if listening.count == (listen == nil ? 1 : 2) { break }
      }
      if !listening.isEmpty { try await body(listening) }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  /// A blocking call, off the cooperative pool's few threads.
  private func get(_ path: String) async throws -> HTTPAnswer {
    let client = StatusClient(socket: socket, timeout: .seconds(20))
    return try await offPool { () throws(StatusFailure) in try client.get(path) }
  }

  private func offPool<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await ThreadWork.run { Result(catching: work) }.get()
  }

  @Test func everyPathAnswers() async throws {
    try await withServer { endpoints in
      #expect(endpoints == [.socket(socket)])
      let status = try await get("/status")
      #expect(status.status == 200)
      #expect(try StatusReport(parsing: status.body).streams.map(\.name) == ["default"])
      let metrics = try await get("/metrics")
      #expect(
        String(decoding: metrics.body, as: UTF8.self).contains(
          "box_eventd_events_total{stream=\"default\"} 1204331\n"))
      let health = try await get("/healthz")
      #expect(health == (try await get("/healthz")))
      #expect(health.status == 200)
      #expect(String(decoding: health.body, as: UTF8.self) == "ok: 1 stream, running\n")
      let page = try await get("/")
      #expect(String(decoding: page.body, as: UTF8.self).hasPrefix("<!DOCTYPE html>"))
      #expect(try await get("/other").status == 404)
    }
  }

  @Test func unhealthyIs503() async throws {
    try await withServer(listen: nil, [Snapshots.stream("a", .blocked, "why")]) { _ in
      let health = try await get("/healthz")
      #expect(health.status == 503)
      #expect(String(decoding: health.body, as: UTF8.self) == "a is blocked: why\n")
    }
  }

  @Test func theSocketIsForUserAndGroupAndRemovedAtTheEnd() async throws {
    try await withServer { _ in
      let facts = FileFacts(socket)
      #expect(facts?.kind == .socket)
      #expect(facts?.mode == 0o660)
    }
    #expect(access(socket, F_OK) != 0)
  }

  @Test func aStaleSocketIsReplaced() async throws {
    let stale = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #expect(SocketAddress.bind(stale, path: socket) == 0)
    close(stale)
    try await withServer { _ in
      let health = try await get("/healthz")
      #expect(health.status == 200)
    }
  }

  @Test func refusesAPathThatIsNotASocket() async throws {
    try folder.write("status.sock", "precious")
    let failure = await #expect(throws: StatusFailure.self) {
      try await withServer { _ in Issue.record("it must not listen") }
    }
    #expect(failure?.code == .notListening)
    #expect(access(socket, F_OK) == 0)
    #expect(failure?.message.hasPrefix("can't listen on \(socket): ") == true, "\(failure?.message ?? "")")
  }

  @Test func reportsAPortInUse() async throws {
    let other = try TCPClient.listener()
    defer { close(other.descriptor) }
    let failure = await #expect(throws: StatusFailure.self) {
      try await withServer(listen: ListenAddress("127.0.0.1:\(other.port)")) { _ in }
    }
    #expect(failure?.message == "can't listen on 127.0.0.1:\(other.port): Address already in use")
    #expect(failure?.errno == EADDRINUSE)
  }

  @Test func servesTCP() async throws {
    try await withServer(listen: ListenAddress("127.0.0.1:0")) { endpoints in
      let ports: [Int] = endpoints.compactMap { if case .tcp(let port) = $0 { port } else { nil } }
      let port = try #require(ports.first)
      #expect(port > 0)
      let answer = try await offPool { try TCPClient.get(port: port, "/healthz") }
      #expect(answer?.status == 200)
    }
  }

  /// No answer may be cached, be taken for another type, or load external resources.
  @Test func everyAnswerHasItsHeaders() async throws {
    try await withServer(listen: ListenAddress("127.0.0.1:0")) { endpoints in
      let ports: [Int] = endpoints.compactMap { if case .tcp(let port) = $0 { port } else { nil } }
      let port = try #require(ports.first)
      let types = [
        "/status": "application/json", "/metrics": "text/plain; version=0.0.4; charset=utf-8",
        "/healthz": "text/plain; charset=utf-8", "/": "text/html; charset=utf-8",
      ]
      for (path, type) in types {
        for method in ["GET", "HEAD"] {
          let answer = try await offPool { try TCPClient.exchange(port: port, "\(method) \(path)") }
          let parts = String(decoding: answer, as: UTF8.self).split(
            separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
          let head = Set(parts[0].lowercased().split(separator: "\r\n").map(String.init))
          #expect(head.contains("http/1.1 200 ok"))
          #expect(head.isSuperset(of: ["content-type: \(type)", "cache-control: no-store"]), "\(head)")
          #expect(head.contains("x-content-type-options: nosniff"))
          #expect(
            head.contains("content-security-policy: default-src 'none'; style-src 'unsafe-inline'")
              == (path == "/"))
          #expect((parts.count < 2 || parts[1].isEmpty) == (method == "HEAD"))
        }
      }
      let post = try await offPool { try TCPClient.exchange(port: port, "POST /status") }
      #expect([404, 405].contains(HTTPAnswer(parsing: post)?.status))
    }
  }

  /// A client that has sent half a request and stays must not delay the end; a server that waits for it would
  /// exceed the suite's time limit.
  @Test(arguments: [
    "", "GET /status HTTP/1.1\r\nHost:", "GET /status HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
  ])
  func aHangingClientDoesNotDelayTheShutdown(request: String) async throws {
    let client = Mutex<CInt>(-1)
    try await withServer(listen: ListenAddress("127.0.0.1:0")) { endpoints in
      let ports: [Int] = endpoints.compactMap { if case .tcp(let port) = $0 { port } else { nil } }
      let port = try #require(ports.first)
      let descriptor = try await offPool {
        try TCPClient.connect(port: port, sending: request)
      }
      client.withLock { $0 = descriptor }
      // An answer on a second connection proves that the server has taken the first.
      _ = try await offPool { try TCPClient.get(port: port, "/healthz") }
    }
    client.withLock { _ = close($0) }
  }
}
