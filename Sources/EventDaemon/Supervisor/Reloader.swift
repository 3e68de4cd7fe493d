import BoxClient
import BoxEvents
import Logging
import Systemd
import UnixSignals

/// Applies a changed configuration on SIGHUP; streams that haven't changed run on.
struct Reloader: Sendable {
  let path: String
  let environment: [String: String]
  /// The configuration of the start.
  let initial: Configuration
  let supervisor: FeedSupervisor
  let tokenRegistry: TokenRegistry
  let feeds: FeedFactory
  let threshold: LogThreshold
  let phase: DaemonPhase
  let difference: ConfigurationDifference
  let notifier: Notifier
  let status: StatusReporter
  let logger: Logger

  func run(_ signals: UnixSignalsSequence) async {
    var current = initial
    for await _ in signals {
      // `READY=1` would end the start. While it lasts, the monitor reports when the daemon is ready.
      let isRunning = phase.value == .running
      if isRunning { notifier.send(.reloading) }
      let contents = ConfigurationFile.contents(path)
      do {
        current = try await reload(from: current, contents)
        logger.log(
          level: .notice, "configuration reloaded", id: .reloaded,
          metadata: ["streams": "\(current.streams.count)"])
      } catch {
        difference.set("rejected by a reload: run \(Configuration.checkCommand(of: path))", of: contents, nil)
        for problem in error.problems {
          logger.log(
            level: .error, "configuration rejected; the previous one stays in force",
            id: .configurationRejected, metadata: [:].explaining(problem))
        }
      }
      if isRunning { status.send(with: .ready) }
    }
  }

  private func reload(
    from old: Configuration, _ contents: ConfigurationContents
  ) async throws(ConfigurationError) -> Configuration {
    let read = try Configuration.load(path, environment: environment)
    let (new, refusedKeys) = old.reloaded(with: read)
    try new.checkSecrets(environment: environment)
    let change = old.change(to: new)
    let proxy = try proxy(new)
    let feeds = try made(change.added + change.changed, of: new.streams.count)
    self.feeds.transport.use(proxy)
    if let level = change.logLevel { threshold.level = level }
    await tokenRegistry.reload(new)
    for name in change.removed + change.changed.map(\.name) {
      await supervisor.stop(name)
      logger.notice("stream stopped", metadata: ["stream": "\(name)"])
    }
    supervisor.retry()
    for feed in feeds {
      supervisor.start(feed)
      logger.notice("stream started", metadata: ["stream": "\(feed.name)"])
    }
    let keys = refusedKeys.joined(separator: ", ")
    difference.set(refusedKeys.isEmpty ? nil : "differs in \(keys): restart to use it", of: contents, read)
    if !refusedKeys.isEmpty { report(keys) }
    return new
  }

  private func report(_ keys: String) {
    logger.warning(
      "a reload can't apply all of the configuration; the rest needs a restart",
      metadata: [
        "detail": "\(keys) changed",
        "hint": "Run: systemctl restart \(Configuration.unit(of: path)).",
      ])
  }

  private func proxy(_ new: Configuration) throws(ConfigurationError) -> ProxySettings? {
    do throws(ClientSettingsError) {
      return try new.proxy(environment: environment)
    } catch {
      throw ConfigurationError([.init(error.message, hint: error.hint)])
    }
  }

  private func made(
    _ streams: [Configuration.Stream], of count: Int
  ) throws(ConfigurationError) -> [FeedSupervisor.Feed] {
    do throws(DaemonFailure) {
      try OpenFileLimit.raise(streams: count)
      return try streams.map { stream throws(DaemonFailure) in try feeds.feed(stream) }
    } catch {
      throw ConfigurationError([.init(error.message, hint: error.hint)])
    }
  }
}
