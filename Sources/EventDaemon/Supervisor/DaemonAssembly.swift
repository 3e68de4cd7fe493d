import BoxClient
import BoxEvents
import Logging
import ServiceLifecycle
import Spool
import Systemd
import UnixSignals

/// The parts of a running daemon, put together from a configuration.
struct DaemonAssembly: Sendable {
  let notifier: Notifier
  let logger: Logger
  let clock = MonotonicFeedClock()
  let supervisor: FeedSupervisor
  let tokenRegistry: TokenRegistry
  let feeds: FeedFactory
  let reloader: Reloader
  let status: Configuration.Status
  let started = LocalTime.now
  let phase = DaemonPhase()

  init(
    configuration: Configuration, environment: [String: String], directories: DaemonDirectories,
    transport: BoxTransport, notifier: Notifier, logger: Logger, threshold: LogThreshold,
    configurationPath: String, minimumSegmentLife: Duration
  ) throws(DaemonFailure) {
    self.notifier = notifier
    self.logger = logger
    status = configuration.status
    supervisor = FeedSupervisor(logger: logger)
    tokenRegistry = TokenRegistry(
      configuration: configuration, environment: environment,
      endpoint: try TokenEndpoint(transport, configuration),
      refreshTokens: StoredRefreshToken(directories.state), logger: logger)
    feeds = try FeedFactory(
      configuration: configuration, directories: directories, transport: transport,
      tokenRegistry: tokenRegistry, minimumSegmentLife: minimumSegmentLife,
      clock: clock, logger: logger)
    for stream in configuration.streams { supervisor.start(try feeds.feed(stream)) }
    reloader = Reloader(
      path: configurationPath, environment: environment, configuration: configuration,
      supervisor: supervisor, tokenRegistry: tokenRegistry, feeds: feeds, threshold: threshold,
      notifier: notifier,
      logger: logger)
  }

  /// Runs until the process is asked to stop, or can't go on.
  func run(_ signals: DaemonSignals) async throws {
    logger.notice(
      "started", id: .started,
      metadata: ["version": "\(Version.current)", "streams": "\(supervisor.telemetries.count)"])
    let server = StatusServer(status) { [self] in snapshot() }
    let monitor = Monitor(assembly: self)
    // Stopped in reverse order: first the streams, which save their positions, last the status.
    let services: [any Service] = [
      server, CancellableService { [self] in try await watch() },
      CancellableService { await tokenRegistry.run() },
      CancellableService { try await monitor.run() },
      CancellableService { await reloader.run(signals.reload) },
      CancellableService { [self] in try await runFeeds() },
    ]
    var configuration = ServiceGroupConfiguration(
      services: services.map { .init(service: $0) } + [
        .init(
          service: CancellableService { for await _ in signals.stop { return monitor.stop() } },
          successTerminationBehavior: .gracefullyShutdownGroup)
      ],
      logger: Logger(label: "box-eventd.services") { _ in SwiftLogNoOpLogHandler() })
    // A commit under way may take as long as a sync may; TimeoutStopSec= is longer.
    configuration.maximumGracefulShutdownDuration = .seconds(40)
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch let failure as StatusFailure {
      throw DaemonFailure(.configuration, failure.message, hint: failure.hint)
    }
  }

  func snapshot() -> DaemonSnapshot {
    let now = clock.now
    return DaemonSnapshot(
      version: Version.current, phase: phase.value, since: started,
      streams: supervisor.telemetries.map { $0.snapshot(at: now) })
  }

  private func runFeeds() async throws {
    do throws(StoreFailure) {
      try await supervisor.run()
    } catch {
      throw DaemonFailure(error)
    }
  }

  /// Pings systemd's watchdog while every stage is inside its deadline.
  private func watch() async throws {
    guard let interval = try Watchdog.requestedInterval() else { return await untilCancelled() }
    let watchdog = Watchdog(interval: interval, notifier: notifier) { [self] in
      DaemonHealth(telemetries: supervisor.telemetries).watchdog(at: clock.now)
    } report: { [logger] report in
      switch report {
      case .withheld(let reason):
        logger.critical(
          "no longer pinging the watchdog; systemd will restart the service", id: .watchdogWithheld,
          metadata: ["detail": "\(reason)"])
      case .resumed:
        logger.notice("pinging the watchdog again")
      }
    }
    await watchdog.run()
  }
}

/// A piece of work as a service: a graceful shutdown cancels it.
struct CancellableService: Service {
  let work: @Sendable () async throws -> Void

  init(_ work: @escaping @Sendable () async throws -> Void) {
    self.work = work
  }

  func run() async throws {
    try await cancelWhenGracefulShutdown { try await work() }
  }
}

/// Returns when the task is cancelled.
func untilCancelled() async {
  while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
}
