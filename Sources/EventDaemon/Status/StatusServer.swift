import Glibc
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Spool
import SystemPackage
import Systemd

/// The daemon's local HTTP endpoint, on a Unix socket and, if configured, on a TCP address:
/// `/status`, `/metrics`, `/healthz` and a page at `/`. It only reads, and shows no secrets.
///
/// The socket of an earlier run is removed: run it only while holding the instance lock.
struct StatusServer: Service {
  /// An endpoint that can be connected to.
  enum Endpoint: Hashable, Sendable {
    case socket(String)
    case tcp(port: Int)
  }

  /// More wait in the kernel's queue until one of these is closed.
  static let maximumConnections = 256
  /// How long answers under way may take once the daemon stops.
  static let shutdownTime = Duration.seconds(1)

  private let configuration: Configuration.Status
  private let group: any EventLoopGroup
  private let socket: StatusSocket
  /// Called when an endpoint can be connected to; for the socket once more when it has been made again.
  private let onListening: @Sendable (Endpoint) async -> Void
  /// Returns when an address that can't be listened on is tried again, and the socket is looked at.
  private let retry: @Sendable () async throws -> Void
  /// Also of a request that isn't complete. Some hundreds that send nothing are gone before a client ends waiting, after 5 s.
  private let idleTimeout: Duration
  /// Logs whether the endpoints can be listened on; no requests.
  private let logger: Logger
  /// Called for every request, from any thread; must not block.
  private let snapshot: @Sendable () -> DaemonSnapshot
  /// Requests of monitoring are not logged.
  private let requestLogger = Logger(label: "box-eventd.status") { _ in SwiftLogNoOpLogHandler() }

  init(
    configuration: Configuration.Status, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    onListening: @escaping @Sendable (Endpoint) async -> Void = { _ in },
    retry: @escaping @Sendable () async throws -> Void = { try await QuietTime.next() },
    idleTimeout: Duration = .seconds(2), logger: Logger,
    snapshot: @escaping @Sendable () -> DaemonSnapshot
  ) {
    self.configuration = configuration
    self.group = group
    socket = StatusSocket(configuration.socket)
    self.onListening = onListening
    self.retry = retry
    self.idleTimeout = idleTimeout
    self.logger = logger
    self.snapshot = snapshot
  }

  /// The socket has been listened on.
  var hasListened: Bool { socket.hasListened }

  /// Serves until a graceful shutdown or cancellation; then ends within a second.
  /// - Throws: ``StatusFailure`` if the socket can't be listened on. The TCP address is tried again instead, and so is a
  ///   socket that has been removed in the meantime: no event depends on them.
  func run() async throws {
    defer { socket.remove() }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await serveSocket()
        return false
      }
      if let listen = configuration.listen {
        group.addTask {
          await serve(listen)
          return false
        }
      }
      var running = configuration.listen == nil ? 1 : 2
      group.addTask {
        try? await gracefulShutdown()
        try? await Task.sleep(for: Self.shutdownTime)
        return true
      }
      while running > 0, let isOverdue = try await group.next() {
        if isOverdue { group.cancelAll() } else { running -= 1 }
      }
      group.cancelAll()
    }
  }

  /// A socket of an earlier run, without a listener, is fine.
  /// - Parameter owners: processes that may listen on it.
  /// - Throws: what keeps a server from it: another file in its place, or a process that listens on it.
  static func check(socket path: String, ownedBy owners: [pid_t] = []) throws(StatusFailure) {
    let status = try? Stat(FilePath(path), followTargetSymlink: false)
    if let status, status.type != .socket {
      throw StatusFailure(
        .notListening, "can't listen on \(path): the path exists and is not a socket",
        hint: "Move it away, or change [status] socket.")
    }
    guard let listener = StatusClient(socket: path, timeout: .seconds(1)).listener(),
      !owners.contains(listener)
    else { return }
    throw StatusFailure(
      .notListening, "can't listen on \(path): another process listens on it",
      hint: "Give each box-eventd a [status] socket of its own, or stop the other.", errno: EADDRINUSE)
  }

  /// Serves on the socket until the end; where its file is removed, on a new one.
  private func serveSocket() async throws {
    var failures = 0
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        try Self.check(socket: configuration.socket)
        try await serveOneSocket()
        failures = 0
      } catch var failure as StatusFailure where hasListened {
        failures += 1
        failure.hint =
          (failure.hint.map { "\($0) " } ?? "")
          + "It is tried again every 10 s; if its directory was removed too, restart box-eventd."
        if failures.isPowerOfTwo {
          logger.log(
            level: .warning, "the status socket was removed and can't be made again", id: .notListening,
            metadata: ["times": "\(failures)"].explaining(failure))
        }
        await waitForRetry()
      }
    }
  }

  /// Serves on a new socket until the end, or until its file is not in its place any more.
  private func serveOneSocket() async throws {
    let path = configuration.socket
    socket.forget()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        do throws(StatusFailure) {
          try await serve(answers(), .unixDomainSocket(path: path), "can't listen on \(path)") { _ in
            // A new socket's mode is the umask's; only our user and group may connect.
            chmod(path, 0o660)
            if socket.bound() {
              logger.notice(
                "the status socket was removed and has been made again", metadata: ["detail": "\(path)"])
            }
            await onListening(.socket(path))
          }
        } catch var failure {
          failure.hint = Self.hint(socket: path, errno: failure.errno)
          throw failure
        }
        return true
      }
      group.addTask {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
          await waitForRetry()
          if socket.isLost { return true }
        }
        return false
      }
      while let isOver = try await group.next() { if isOver { group.cancelAll() } }
    }
  }

  private func waitForRetry() async {
    try? await cancelWhenGracefulShutdown { try await retry() }
  }

  /// Serves over TCP until the end. The port may be taken and become free, or its address come up after the start.
  private func serve(_ listen: ListenAddress) async {
    let answers = answers(allowing: listen.host)
    var failures = 0
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      let hadFailed = failures > 0
      do throws(StatusFailure) {
        guard let host = try await listen.resolvedHost() else { return }
        return try await serve(
          answers, .hostname(host, port: listen.port), listen.description
        ) { channel in
          if hadFailed {
            logger.notice("listening on the status address", metadata: ["listen": "\(listen)"])
          }
          await onListening(.tcp(port: channel.localAddress?.port ?? listen.port))
        }
      } catch {
        failures += 1
        if failures.isPowerOfTwo {
          logger.log(
            level: .warning, "cannot listen on the status address", id: .notListening,
            metadata: ["times": "\(failures)"].explaining(error))
        }
      }
      await waitForRetry()
    }
  }

  private static func hint(socket: String, errno: CInt?) -> String {
    let folder = FilePath(socket).removingLastComponent().string
    return switch errno {
    case EADDRINUSE: "Change [status] socket, or stop the program that uses it."
    case ENOENT: DiskDirectory.Access.shared.remedy(folder, errno: ENOENT)
    default: "Check \(folder), the directory of [status] socket."
    }
  }

  /// What to do about an address that can't be listened on.
  static func hint(ofListening errno: CInt?) -> String {
    let what =
      errno == EADDRINUSE
      ? "Run: ss -ltnp. It shows the program that uses the port: stop it, or change listen in [status]."
      : "Check listen in [status]."
    return what + " It is tried again every 10 s; events are collected all the same."
  }

  /// - Parameter host: of the TCP address; nil for the socket.
  private func answers(allowing host: String? = nil) -> StatusAnswers {
    StatusAnswers(snapshot: snapshot, hostCheck: host.map { HostCheck(host: $0) })
  }

  /// - Parameter subject: begins the message of a failure.
  private func serve(
    _ answers: StatusAnswers, _ address: BindAddress, _ subject: String,
    onRunning: @escaping @Sendable (any Channel) async -> Void
  ) async throws(StatusFailure) {
    do {
      let connections = MaximumAvailableConnections(Self.maximumConnections, logger: requestLogger)
      let server = try HTTPServerBuilder.http1(configuration: .init(idleTimeout: TimeAmount(idleTimeout)))
        .buildServer(
          configuration: ServerConfiguration(address: address, availableConnectionsDelegate: connections),
          eventLoopGroup: group, logger: requestLogger,
          responder: { request, writer, _ in
            let response = answers.answer(to: request)
            try await writer.write(response: response.head, body: response.body)
          }, onServerRunning: onRunning)
      try await server.run()
    } catch {
      if error is CancellationError || Task.isCancelled { return }
      let number = (error as? IOError)?.errnoCode
      let reason = number.map { String(cString: strerror($0)) } ?? "\(error)"
      throw StatusFailure(
        .notListening, "\(subject): \(reason)", hint: Self.hint(ofListening: number), errno: number)
    }
  }
}
