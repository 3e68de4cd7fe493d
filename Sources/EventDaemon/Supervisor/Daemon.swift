import BoxClient
import BoxEvents
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
package import Spool
import Systemd

/// The service: what `box-eventd run` does from start to end.
package struct Daemon: Sendable {
  let configurationPath: String
  let environment: [String: String]
  private let disk: any Disk
  private let minimumSegmentLife: Duration

  /// - Parameters:
  ///   - disk: what spool and state are kept on; another than this machine's is for tests.
  ///   - minimumSegmentLife: whoever follows `current` looks every few seconds; less than that is for tests.
  package init(
    configurationPath: String, environment: [String: String], disk: any Disk = LocalDisk(),
    minimumSegmentLife: Duration = SpoolLimits().minimumSegmentLife
  ) {
    self.configurationPath = configurationPath
    self.environment = environment
    self.disk = disk
    self.minimumSegmentLife = minimumSegmentLife
  }

  /// Runs until SIGTERM or SIGINT.
  /// - Throws: `DaemonFailure`, with the status the process is to end with.
  package func run() async throws(DaemonFailure) {
    // A closed pipe, or a file at its limit, is an error of the write to it, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    let signals = await DaemonSignals()
    let notifier = Notifier.systemd()
    do {
      try await run(notifier, signals)
    } catch {
      let failure = DaemonFailure(error)
      if let errno = failure.errno { notifier.send(.errno(errno)) }
      notifier.send(.status(failure.explanation))
      throw failure
    }
  }

  private func run(_ notifier: Notifier, _ signals: DaemonSignals) async throws {
    let configuration = try load()
    let threshold = LogThreshold(configuration.log.level)
    let logger = LogDestination.current.logger(threshold: threshold)
    try OpenFileLimit.raise(streams: configuration.streams.count)
    let directories = try DaemonDirectories(configuration, on: disk)
    defer { directories.release() }
    // One loop serves thousands of streams; the disk has threads of its own.
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let transport = try transport(configuration, group)
    let failure: (any Error)?
    do {
      let assembly = try DaemonAssembly(
        configuration: configuration, environment: environment, directories: directories,
        transport: transport, notifier: notifier, logger: logger, threshold: threshold,
        configurationPath: configurationPath, minimumSegmentLife: minimumSegmentLife)
      try await assembly.run(signals)
      failure = nil
    } catch {
      failure = error
    }
    await transport.shutdown()
    try? await group.shutdownGracefully()
    if let failure { throw failure }
    logger.notice("stopped", id: .stopped)
  }

  private func load() throws(DaemonFailure) -> Configuration {
    do throws(ConfigurationError) {
      let configuration = try Configuration.load(configurationPath, environment: environment)
      // Unreadable secrets are a matter of configuration, to be seen at the start.
      try configuration.checkSecrets(environment: environment)
      return configuration
    } catch {
      let logger = LogDestination.current.logger(threshold: LogThreshold(.info))
      for problem in error.problems {
        logger.error(
          "configuration rejected", id: .configurationRejected,
          metadata: Logger.Metadata().explaining(problem))
      }
      throw DaemonFailure(error)
    }
  }

  private func transport(
    _ configuration: Configuration, _ group: MultiThreadedEventLoopGroup
  ) throws(DaemonFailure) -> BoxTransport {
    try settingsChecked { () throws(ClientSettingsError) in
      BoxTransport(settings: try TransportSettings(configuration, environment: environment), group: group)
    }
  }
}
