import BoxClient
import BoxEvents
import Logging
import ServiceLifecycle
package import Spool
import Systemd

/// The service: everything `box-eventd run` does, from start to end.
package struct Daemon: Sendable {
  let configurationPath: String
  let environment: [String: String]
  private let disk: any Disk
  let minimumSegmentLife: Duration
  let patience: Duration

  /// What looks final to every stream may pass: Box refuses good credentials at times. As long as this, everything is
  /// tried again before the process ends.
  package static let patience = Duration.seconds(3600)

  /// - Parameters:
  ///   - disk: where spool and state are kept; other disks than the local one are for tests.
  ///   - patience: how long every stream must have required operator action before the process ends; less than
  ///     an hour is for tests.
  ///   - minimumSegmentLife: programs that follow `current` look every few seconds; less than that is for tests.
  package init(
    configurationPath: String, environment: [String: String], disk: any Disk = LocalDisk(),
    minimumSegmentLife: Duration = SpoolLimits().minimumSegmentLife, patience: Duration = Self.patience
  ) {
    self.configurationPath = configurationPath
    self.environment = environment
    self.disk = disk
    self.minimumSegmentLife = minimumSegmentLife
    self.patience = patience
  }

  var commands: CommandText { CommandText(configurationPath: configurationPath) }

  /// Runs until SIGTERM or SIGINT.
  /// - Throws: `DaemonFailure`, with the status the process is to end with.
  package func run() async throws(DaemonFailure) {
    DaemonSignals.hold()
    let signals = await DaemonSignals()
    let notifier = Notifier.systemd()
    do {
      try await run(notifier, signals)
      await Self.finishOutput(notifier)
    } catch {
      let failure = commands.complete(DaemonFailure(error))
      if let errno = failure.errno { notifier.send(.errno(errno)) }
      notifier.send(.status(failure.explanation))
      await Self.finishOutput(notifier)
      throw failure
    }
  }

  /// The last lines and messages get half a second; a log or a service manager that takes none doesn't hold up the end.
  private static func finishOutput(_ notifier: Notifier) async {
    await finish(within: .milliseconds(500)) {
      async let messages: Void = notifier.delivered()
      await LogQueue.process.delivered()
      await messages
    }
  }

  private func run(_ notifier: Notifier, _ signals: DaemonSignals) async throws {
    let configuration = try load()
    let threshold = LogThreshold(configuration.log.level)
    let logger = LogDestination.current.logger(threshold: threshold) { [commands] in commands.complete($0) }
    try OpenFileLimit.raise(streams: configuration.streams.count)
    let directories = try DaemonDirectories(configuration, on: disk)
    defer { directories.release() }
    for directory in [directories.spool, directories.state] where try !directory.canSynchronize() {
      logger.notice(
        "a file system can't sync directories: a power cut may lose the newest files",
        metadata: ["detail": "\(directory.path)"])
    }
    if let loss = ReaderAccess(configuration).losses().first {
      logger.warning(
        "the spool's readers lose access", metadata: ["detail": "\(loss.message)", "hint": "\(loss.hint)"])
    }
    try await BoxTransport.with(configuration, environment) { transport in
      let assembly = try DaemonAssembly(
        of: self, configuration, directories, transport, notifier, logger, threshold)
      try await assembly.run(signals)
    }
    logger.log(level: .notice, "stopped", id: .stopped)
  }

  private func load() throws(DaemonFailure) -> Configuration {
    do throws(ConfigurationError) {
      let configuration = try Configuration.load(configurationPath, environment: environment)
      // An unreadable secret is an error of the configuration, reported at the start.
      try configuration.checkSecrets(environment: environment)
      return configuration
    } catch {
      var failure = DaemonFailure(error)
      // Elsewhere the command prints them.
      if LogDestination.current == .journal {
        let logger = LogDestination.journal.logger(threshold: LogThreshold(.info))
        for problem in error.problems {
          logger.log(
            level: .error, "configuration rejected", id: .configurationRejected,
            metadata: [:].explaining(problem))
        }
        failure.isLogged = true
      }
      throw failure
    }
  }
}

/// The version of this program, as `--version`, the status and `User-Agent` give it.
package enum Version {
  package static let current = "0.1.0"
}
