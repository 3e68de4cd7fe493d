import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SystemPackage

/// The daemon's local HTTP endpoint, on a Unix socket and, if configured, on a TCP address:
/// `/status`, `/metrics`, `/healthz` and a page at `/`. It only reads, and shows no secrets.
///
/// The socket of an earlier run is removed: run it only while holding the instance lock.
package struct StatusServer: Service {
  /// An endpoint that can be connected to.
  package enum Endpoint: Hashable, Sendable {
    case socket(String)
    case tcp(port: Int)
  }

  /// More wait in the kernel's queue until one of these is closed.
  static let maximumConnections = 64
  static let idleTimeout = TimeAmount.seconds(10)
  /// How long answers under way may take once the daemon stops.
  static let shutdownTime = Duration.seconds(1)

  private let configuration: Configuration.Status
  private let snapshot: @Sendable () -> DaemonSnapshot
  private let onListening: @Sendable (Endpoint) async -> Void
  private let logger: Logger

  /// - Parameters:
  ///   - snapshot: called for every request, from any thread; must not block.
  ///   - onListening: called once an endpoint, when it can be connected to.
  package init(
    _ configuration: Configuration.Status,
    onListening: @escaping @Sendable (Endpoint) async -> Void = { _ in },
    snapshot: @escaping @Sendable () -> DaemonSnapshot
  ) {
    self.configuration = configuration
    self.snapshot = snapshot
    self.onListening = onListening
    // Requests of monitoring are not logged.
    self.logger = Logger(label: "box-eventd.status") { _ in SwiftLogNoOpLogHandler() }
  }

  /// Serves until a graceful shutdown or cancellation; then ends within a second.
  /// - Throws: ``StatusFailure`` if the socket or the address can't be listened on.
  package func run() async throws {
    let servers = applications()
    defer { removeSocket() }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for server in servers {
        group.addTask {
          try await server()
          return false
        }
      }
      group.addTask {
        try? await gracefulShutdown()
        try? await Task.sleep(for: Self.shutdownTime)
        return true
      }
      var running = servers.count
      while running > 0, let isOverdue = try await group.next() {
        if isOverdue { group.cancelAll() } else { running -= 1 }
      }
      group.cancelAll()
    }
  }
}

extension StatusServer {
  /// Removes the socket, and nothing else that may have taken its place.
  private func removeSocket() {
    let status = try? Stat(FilePath(configuration.socket), followTargetSymlink: false)
    guard status?.type == .socket else { return }
    unlink(configuration.socket)
  }

  /// One server an endpoint; each throws `StatusFailure`.
  private func applications() -> [@Sendable () async throws -> Void] {
    let socket = configuration.socket
    var servers: [@Sendable () async throws -> Void] = [
      {
        let address = BindAddress.unixDomainSocket(path: socket)
        try await serve(address, socket) { _ in
          // A new socket's mode is the umask's; only our user and group may connect.
          chmod(socket, 0o660)
          await onListening(.socket(socket))
        }
      }
    ]
    if let listen = configuration.listen {
      servers.append {
        let address = BindAddress.hostname(listen.host, port: listen.port)
        try await serve(address, listen.description) { channel in
          await onListening(.tcp(port: channel.localAddress?.port ?? listen.port))
        }
      }
    }
    return servers
  }

  private func serve(
    _ address: BindAddress, _ name: String, onRunning: @escaping @Sendable (any Channel) async -> Void
  ) async throws {
    let connections = MaximumAvailableConnections(Self.maximumConnections, logger: logger)
    let application = Application(
      router: StatusRoutes.router(snapshot),
      server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
      configuration: .init(address: address, availableConnectionsDelegate: connections),
      onServerRunning: onRunning, logger: logger)
    do {
      try await application.run()
    } catch is CancellationError {
      return
    } catch is UnixDomainSocketPathWrongType {
      throw StatusFailure(
        .notListening, "can't listen on \(name): the path exists and is not a socket",
        hint: "Move it away, or change [status] socket.")
    } catch {
      let number = (error as? IOError)?.errnoCode
      throw StatusFailure(
        .notListening,
        "can't listen on \(name): \(number.map { String(cString: strerror($0)) } ?? "\(error)")",
        hint: "Change [status] socket or listen, or stop the program that uses it.", errno: number)
    }
  }
}

/// The paths of the local endpoint and what each answers.
private enum StatusRoutes {
  static func router(_ snapshot: @escaping @Sendable () -> DaemonSnapshot) -> Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.get("/status") { _, _ in
      answer(StatusReport(snapshot()).json, "application/json")
    }
    router.get("/metrics") { _, _ in
      answer(PrometheusText(snapshot()).text, PrometheusText.contentType)
    }
    router.get("/healthz") { _, _ in
      let health = Health(snapshot())
      let status: HTTPResponse.Status = health.isHealthy ? .ok : .serviceUnavailable
      return answer(health.reason + "\n", "text/plain; charset=utf-8", status)
    }
    router.get("/") { _, _ in
      let page = StatusPage.html(snapshot(), now: LocalTime.now)
      var response = answer(page, "text/html; charset=utf-8")
      response.headers[.contentSecurityPolicy] = StatusPage.contentSecurityPolicy
      return response
    }
    return router
  }

  private static func answer(
    _ text: String, _ type: String, _ status: HTTPResponse.Status = .ok
  ) -> Response {
    let headers: HTTPFields = [
      .contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
    ]
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}
