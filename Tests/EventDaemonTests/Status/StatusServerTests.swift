import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import Systemd
import TestSystem
import Testing

@testable import EventDaemon

@Suite(.timeLimit(.minutes(10))) struct StatusServerTests {
  private let folder: TemporaryFolder
  private let log = RecordedLog()
  private var socket: String { folder.path + "/status.sock" }

  init() throws { folder = try TemporaryFolder() }

  /// Runs a server until `body` has returned, and stops it as the daemon would.
  /// - Parameters:
  ///   - endpoints: how many to wait for; by default all.
  ///   - body: gets them, and a stream of further ones.
  private func withServer(
    listen: ListenAddress? = nil, _ streams: [StreamSnapshot] = [Snapshots.healthy],
    endpoints count: Int? = nil, idleTimeout: Duration = .seconds(60),
    _ body: ([StatusServer.Endpoint], AsyncStream<StatusServer.Endpoint>) async throws -> Void
  ) async throws {
    var configuration = Configuration.Status()
    configuration.socket = socket
    configuration.listen = listen
    let (endpoints, continuation) = AsyncStream<StatusServer.Endpoint>.makeStream()
    let server = StatusServer(
      configuration: configuration, onListening: { continuation.yield($0) },
      // On a busy machine, two seconds may pass before a request is read.
      retry: { try await Task.sleep(for: .milliseconds(1)) }, idleTimeout: idleTimeout, logger: log.logger,
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
        if listening.count == count ?? (listen == nil ? 1 : 2) { break }
      }
      if !listening.isEmpty { try await body(listening, endpoints) }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  private func withServer(
    listen: ListenAddress? = nil, _ streams: [StreamSnapshot] = [Snapshots.healthy],
    idleTimeout: Duration = .seconds(60), _ body: ([StatusServer.Endpoint]) async throws -> Void
  ) async throws {
    try await withServer(listen: listen, streams, idleTimeout: idleTimeout) { endpoints, _ in
      try await body(endpoints)
    }
  }

  /// A blocking call, off the cooperative pool's few threads.
  private func get(_ path: String) async throws -> HTTPAnswer {
    let client = StatusClient(socket: socket, timeout: .seconds(300))
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

  /// As by a clean-up of /run: the daemon runs on, and must not be out of reach for ever.
  @Test func aSocketThatIsRemovedIsMadeAgain() async throws {
    try await withServer(endpoints: 1) { _, further in
      #expect(unlink(socket) == 0)
      for await endpoint in further {
        #expect(endpoint == .socket(socket))
        break
      }
      let health = try await get("/healthz")
      #expect(health.status == 200)
      #expect(FileFacts(socket)?.mode == 0o660)
    }
    #expect(access(socket, F_OK) != 0)
    #expect(log.entries.map(\.message) == ["the status socket was removed and has been made again"])
  }

  @Test func whatHasTakenTheSocketsPlaceStays() async throws {
    let other = try folder.write("other", "precious")
    try await withServer(endpoints: 1) { _, _ in
      #expect(rename(other, socket) == 0)
      while log.entries.isEmpty, !Task.isCancelled { await Task.yield() }
    }
    #expect(FileFacts(socket)?.kind == .file)
    let entry = log.entries.first
    #expect(entry?.id == .notListening && entry?.level == .warning)
    #expect(entry?.metadata["detail"] == "can't listen on \(socket): the path exists and is not a socket")
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

  /// Else the second daemon would take the socket from the first, and remove it at its end.
  @Test func refusesASocketThatAnotherProcessListensOn() async throws {
    let other = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(other) }
    #expect(SocketAddress.bind(other, path: socket) == 0 && listen(other, 1) == 0)
    let failure = await #expect(throws: StatusFailure.self) {
      try await withServer { _ in Issue.record("it must not listen") }
    }
    #expect(failure?.code == .notListening)
    #expect(failure?.message == "can't listen on \(socket): another process listens on it")
    #expect(access(socket, F_OK) == 0)
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

  /// The streams must not depend on a port that another program has.
  @Test func takesOverAPortOnceItIsFree() async throws {
    let other = try TCPClient.listener()
    let listen = ListenAddress("127.0.0.1:\(other.port)")
    try await withServer(listen: listen, endpoints: 1) { endpoints, further in
      #expect(endpoints == [.socket(socket)])
      let health = try await get("/healthz")
      #expect(health.status == 200)
      while log.entries.count < 2, !Task.isCancelled { await Task.yield() }
      close(other.descriptor)
      for await endpoint in further {
        #expect(endpoint == .tcp(port: other.port))
        break
      }
      let answer = try await offPool { try TCPClient.get(port: other.port, "/healthz") }
      #expect(answer?.status == 200)
    }
    let failures = log.entries.filter { $0.id == .notListening }
    #expect(failures.allSatisfy { $0.level == .warning })
    #expect(
      failures.first?.metadata["detail"]
        == "127.0.0.1:\(other.port): Address already in use")
    let times = failures.compactMap { $0.metadata["times"].flatMap { Int($0) } }
    #expect(times == times.indices.map { 1 << $0 })
    #expect(log.entries.last?.message == "listening on the status address")
  }

  /// Names below .invalid don't exist: RFC 6761, section 6.4.
  @Test func aNameThatDoesNotResolveIsSaidInWords() async throws {
    try await withServer(listen: ListenAddress("status.invalid:9464"), endpoints: 1) { _, _ in
      while log.entries.isEmpty, !Task.isCancelled { await Task.yield() }
    }
    #expect(log.entries.first?.metadata["detail"] == "status.invalid:9464: the name can't be resolved")
    #expect(log.entries.first?.metadata["hint"]?.hasPrefix("Check listen in [status].") == true)
  }

  /// The daemon doesn't make it.
  @Test func theSocketsDirectoryIsRequired() async throws {
    var configuration = Configuration.Status()
    configuration.socket = folder.path + "/none/status.sock"
    let server = StatusServer(
      configuration: configuration, logger: log.logger, snapshot: { Snapshots.daemon([]) })
    let failure = await #expect(throws: StatusFailure.self) { try await server.run() }
    #expect(failure?.errno == ENOENT)
    #expect(failure?.hint?.hasSuffix("\(folder.path)/none.") == true, "\(failure?.hint ?? "")")
    #expect(failure?.hint?.hasPrefix("Run as root: install -d ") == true, "\(failure?.hint ?? "")")
  }

  /// Of a range that is for documentation, and so not of this machine.
  @Test func anAddressThatIsNotUpDelaysNothing() async throws {
    try await withServer(listen: ListenAddress("192.0.2.1:9464"), endpoints: 1) { endpoints, _ in
      #expect(endpoints == [.socket(socket)])
      let health = try await get("/healthz")
      #expect(health.status == 200)
      while log.entries.isEmpty, !Task.isCancelled { await Task.yield() }
    }
    #expect(
      log.entries.first?.metadata["detail"]
        == "192.0.2.1:9464: Cannot assign requested address")
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

  /// A page elsewhere may let its own name resolve to this address; the browser sends that name.
  @Test func refusesOtherHostsOverTCPOnly() async throws {
    try await withServer(listen: ListenAddress("127.0.0.1:0")) { endpoints in
      let ports: [Int] = endpoints.compactMap { if case .tcp(let port) = $0 { port } else { nil } }
      let port = try #require(ports.first)
      for path in ["/status", "/metrics", "/healthz", "/", "/other"] {
        let answer = try await offPool {
          HTTPAnswer(parsing: try TCPClient.exchange(port: port, "GET \(path)", host: "evil.example:\(port)"))
        }
        #expect(answer?.status == 421, "\(path)")
        #expect(
          answer.map { String(decoding: $0.body, as: UTF8.self) } == HostCheck.refusal)
      }
      for host in ["127.0.0.1:\(port)", "[::1]:\(port)", "LOCALHOST"] {
        let answer = try await offPool {
          HTTPAnswer(parsing: try TCPClient.exchange(port: port, "GET /healthz", host: host))
        }
        #expect(answer?.status == 200, "\(host)")
      }
      for host in ["localhost\r\nHost: localhost", "localhost\r\nhost: evil.example"] {
        let answer = try await offPool {
          HTTPAnswer(parsing: try TCPClient.exchange(port: port, "GET /healthz", host: host))
        }
        #expect(answer?.status == 400, "\(host)")
      }
    }
  }

  @Test(arguments: [
    (nil, true), ("192.0.2.7", true), ("192.0.2.7:1", true), ("[fe80::1]", true), ("localhost:9464", true),
    ("monitor.example", true), ("Monitor.Example:80", true), ("", false), ("evil.example", false),
    ("localhost.evil.example", false), ("monitor.example.evil.example", false),
    ("127.0.0.1.evil.example", false),
    ("monitor.example@evil.example", false), ("1.2.3", false), ("[]", false),
  ])
  func answersOnlyItsOwnHosts(authority: String?, isAllowed: Bool) {
    #expect(HostCheck(host: "monitor.example").allows(authority) == isAllowed)
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

  /// More than the server serves at a time: the last one is answered when they have been closed.
  @Test func idleConnectionsAreClosed() async throws {
    try await withServer(listen: ListenAddress("127.0.0.1:0"), idleTimeout: .seconds(2)) { endpoints in
      let ports: [Int] = endpoints.compactMap { if case .tcp(let port) = $0 { port } else { nil } }
      let port = try #require(ports.first)
      let idle = try await offPool {
        try (0..<StatusServer.maximumConnections + 20).map { index in
          try TCPClient.connect(
            port: port, sending: index.isMultiple(of: 2) ? "" : "GET /status HTTP/1.1\r\n")
        }
      }
      defer { for descriptor in idle { close(descriptor) } }
      let answer = try await offPool { try TCPClient.get(port: port, "/healthz") }
      #expect(answer?.status == 200)
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
