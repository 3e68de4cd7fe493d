import BoxClient
import BoxEvents
import Logging
import NIOCore
import ServiceLifecycle
import Spool
import Systemd
import UnixSignals

/// The parts of a running daemon, put together from a configuration.
struct DaemonAssembly: Sendable {
  private let notifier: Notifier
  private let logger: Logger
  private let clock = MonotonicFeedClock()
  private let supervisor: FeedSupervisor
  private let tokenRegistry: TokenRegistry
  private let reloader: Reloader
  private let status: Configuration.Status
  /// Where the status is served, beside the API's answers.
  private let loop: any EventLoopGroup
  private let patience: Duration
  private let started = LocalTime.now
  /// The calls that belong to no stream.
  private let signIns = StreamTelemetry(name: "", retention: .zero)
  private let phase = DaemonPhase()
  private let changes = ChangeSignal()
  private let difference: ConfigurationDifference
  private let watch: ConfigurationWatch
  private let snapshot: @Sendable () -> DaemonSnapshot
  private let statusReporter: StatusReporter

  init(
    of daemon: Daemon, _ configuration: Configuration, _ directories: DaemonDirectories,
    _ transport: BoxTransport, _ notifier: Notifier, _ logger: Logger, _ threshold: LogThreshold
  ) throws(DaemonFailure) {
    self.notifier = notifier
    self.logger = logger
    status = configuration.status
    loop = transport.firstLoop
    patience = daemon.patience
    let supervisor = FeedSupervisor(clock: clock, logger: logger)
    self.supervisor = supervisor
    let calls = CallCounter(start: clock.now)
    tokenRegistry = try TokenRegistry(
      configuration, daemon.environment, transport,
      state: directories.state, logger: logger,
      observer: { [signIns, clock] in
        calls.observe($0, at: clock.now)
        if case .ended(let call) = $0 { signIns.requested(call) }
        logger.log($0)
      },
      onRecovery: { supervisor.retry() })
    let threads = try DaemonFailure.mapping { () throws(StoreFailure) in try DiskThreads() }
    difference = ConfigurationDifference(configuration)
    watch = ConfigurationWatch(
      daemon.configurationPath, environment: daemon.environment, difference, thread: threads.first,
      logger: logger)
    let feeds = FeedFactory(
      configuration: configuration, directories: directories, transport: transport,
      tokenRegistry: tokenRegistry, calls: calls, changes: changes,
      minimumSegmentLife: daemon.minimumSegmentLife, clock: clock,
      logger: logger,
      threads: threads,
      bootID: try DaemonFailure.mapping { () throws(SystemdError) in try BootID.current() })
    for stream in configuration.streams { supervisor.start(try feeds.feed(stream)) }
    snapshot = { [clock, phase, started, difference, signIns, commands = daemon.commands] in
      let now = clock.now
      return DaemonSnapshot(
        version: Version.current, phase: phase.value, since: started, difference: difference.text,
        streams: supervisor.telemetries.map {
          var stream = $0.snapshot(at: now)
          stream.error = stream.error.map { commands.complete($0, stream: stream.name) }
          return stream
        }, signIns: signIns.snapshot(at: now),
        calls: calls.usage(
          at: now, limit: configuration.box.callsPerMinute, waiting: transport.waitingCalls))
    }
    statusReporter = StatusReporter(notifier, snapshot: snapshot)
    reloader = Reloader(
      path: daemon.configurationPath, environment: daemon.environment, initial: configuration,
      supervisor: supervisor, tokenRegistry: tokenRegistry, feeds: feeds, threshold: threshold,
      phase: phase, difference: difference, notifier: notifier, status: statusReporter, logger: logger)
  }

  /// Runs until the process is asked to stop, or can't go on.
  func run(_ signals: DaemonSignals) async throws {
    logger.log(
      level: .notice, "started", id: .started,
      metadata: ["version": "\(Version.current)", "streams": "\(supervisor.telemetries.count)"])
    let server = StatusServer(configuration: status, on: loop, logger: logger, snapshot: snapshot)
    let monitor = Monitor(
      status: statusReporter, logger: logger, clock: clock, phase: phase, changes: changes,
      health: { health },
      isListening: { server.hasListened })
    // Stopped in reverse order: first the streams, which save their positions, last the status.
    let services: [any Service] = [
      server, CancellableService { try await pingWatchdog() },
      CancellableService {
        await tokenRegistry.run { notifier.send(.extendTimeout($0 + .seconds(5))) }
      },
      CancellableService { try await monitor.run() },
      CancellableService { await reloader.run(signals.reload) },
      CancellableService { await watch.run() },
      CancellableService { try await supervisor.run() },
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
    try await ServiceGroup(configuration: configuration).run()
  }

  private var health: DaemonHealth { DaemonHealth(telemetries: supervisor.telemetries, patience: patience) }

  /// Pings systemd's watchdog while every stage is inside its deadline.
  private func pingWatchdog() async throws {
    guard let interval = try Watchdog.requestedInterval() else { return await untilCancelled() }
    await Watchdog.run(interval: interval, notifier: notifier) {
      health.watchdog(at: clock.now)
    } report: { report in
      switch report {
      case .withheld(let reason):
        logger.log(
          level: .critical, "watchdog ping withheld; systemd will restart the service",
          id: .watchdogWithheld, metadata: ["detail": "\(reason)"])
      case .resumed: logger.notice("watchdog ping resumed")
      }
    }
  }
}

/// A function as a service: a graceful shutdown cancels it.
private struct CancellableService: Service {
  let work: @Sendable () async throws -> Void

  func run() async throws { try await cancelWhenGracefulShutdown { try await work() } }
}
