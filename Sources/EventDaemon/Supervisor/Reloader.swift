import BoxEvents
import Logging
import Synchronization
import Systemd
import UnixSignals

/// Takes over a changed configuration on SIGHUP, without stopping what hasn't changed.
struct Reloader: Sendable {
  let path: String
  let environment: [String: String]
  let supervisor: FeedSupervisor
  let tokenRegistry: TokenRegistry
  let feeds: FeedFactory
  let threshold: LogThreshold
  let notifier: Notifier
  let logger: Logger
  private let initial: Configuration

  init(
    path: String, environment: [String: String], configuration: Configuration, supervisor: FeedSupervisor,
    tokenRegistry: TokenRegistry, feeds: FeedFactory, threshold: LogThreshold, notifier: Notifier,
    logger: Logger
  ) {
    self.path = path
    self.environment = environment
    self.initial = configuration
    self.supervisor = supervisor
    self.tokenRegistry = tokenRegistry
    self.feeds = feeds
    self.threshold = threshold
    self.notifier = notifier
    self.logger = logger
  }

  func run(_ signals: UnixSignalsSequence) async {
    var current = initial
    for await _ in signals {
      notifier.send(.reloading)
      do {
        current = try await reload(from: current)
        logger.notice("reload done", id: .reloaded, metadata: ["streams": "\(current.streams.count)"])
      } catch {
        for problem in error.problems {
          logger.error(
            "configuration rejected; the old one stays in force", id: .configurationRejected,
            metadata: Logger.Metadata().explaining(problem))
        }
      }
      notifier.send(.ready)
    }
  }

  private func reload(from old: Configuration) async throws(ConfigurationError) -> Configuration {
    let new = try Configuration.load(path, environment: environment)
    try new.checkSecrets(environment: environment)
    let change = old.change(to: new)
    guard change.refusedKeys.isEmpty else {
      throw ConfigurationError(
        change.refusedKeys.map {
          .init("\($0) has changed, which a reload can't take over", hint: "Restart the service instead.")
        })
    }
    let feeds = try made(change.added + change.changed, of: new.streams.count)
    if let level = change.logLevel { threshold.level = level }
    await tokenRegistry.reload(new)
    for name in change.removed + change.changed.map(\.name) {
      await supervisor.stop(name)
      logger.notice("stream stopped", metadata: ["stream": "\(name)"])
    }
    for feed in feeds {
      supervisor.start(feed)
      logger.notice("stream started", metadata: ["stream": "\(feed.name)"])
    }
    return new
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
