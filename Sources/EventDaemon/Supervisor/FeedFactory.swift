import BoxClient
import BoxEvents
import Logging
import Spool
import Systemd

/// Makes a stream's parts from its table in the configuration.
struct FeedFactory: Sendable {
  private let configuration: Configuration
  private let directories: DaemonDirectories
  private let transport: BoxTransport
  private let tokenRegistry: TokenRegistry
  private let minimumSegmentLife: Duration
  private let clock: MonotonicFeedClock
  private let logger: Logger
  private let threads: DiskThreads
  private let bootID: String

  init(
    configuration: Configuration, directories: DaemonDirectories, transport: BoxTransport,
    tokenRegistry: TokenRegistry, minimumSegmentLife: Duration, clock: MonotonicFeedClock, logger: Logger
  ) throws(DaemonFailure) {
    self.configuration = configuration
    self.directories = directories
    self.transport = transport
    self.tokenRegistry = tokenRegistry
    self.minimumSegmentLife = minimumSegmentLife
    self.clock = clock
    self.logger = logger
    do throws(StoreFailure) {
      threads = try DiskThreads()
    } catch {
      throw DaemonFailure(error)
    }
    do throws(SystemdError) {
      bootID = try BootID.current()
    } catch {
      throw DaemonFailure(error)
    }
  }

  /// A stream that is ready to run.
  func feed(_ stream: Configuration.Stream) throws(DaemonFailure) -> FeedSupervisor.Feed {
    var rules = FeedRules(type: stream.type)
    rules.lookbackInterval = stream.lookbackInterval
    let telemetry = StreamTelemetry(name: stream.name, retention: rules.retention)
    let driver = FeedDriver(
      source: try source(stream, telemetry), store: store(stream, telemetry), clock: clock, rules: rules,
      start: stream.start, seed: .random(in: 0...(.max)),
      report: FeedReport(
        telemetry: telemetry, journal: StreamJournal(logger: logger, stream: stream.name),
        retention: rules.retention))
    return FeedSupervisor.Feed(name: stream.name, telemetry: telemetry) { () throws(StoreFailure) in
      try await driver.run()
    }
  }

  private func source(
    _ stream: Configuration.Stream, _ telemetry: StreamTelemetry
  ) throws(DaemonFailure) -> BoxSource {
    try settingsChecked { () throws(ClientSettingsError) in
      try BoxSource(
        transport: transport, tokens: tokenRegistry.tokens(for: configuration.subject(of: stream)),
        settings: FeedSettings(configuration, stream)
      ) { endpoint, code, duration in
        telemetry.requested(endpoint: endpoint, code: code, took: duration)
      }
    }
  }

  private func store(_ stream: Configuration.Stream, _ telemetry: StreamTelemetry) -> StreamSpool {
    let place = StreamSpool.Location(
      name: stream.name, feed: configuration.feedIdentity(of: stream), spoolRoot: directories.spool,
      stateRoot: directories.state)
    var limits = SpoolLimits(configuration.spool)
    limits.minimumSegmentLife = minimumSegmentLife
    return StreamSpool(
      place, limits: limits, bootID: bootID, thread: threads.next()
    ) { [clock] _ in
      // Recovery is given up only when it makes no progress.
      telemetry.setDeadline(clock.now.advanced(by: .seconds(60)))
    }
  }
}

extension Configuration {
  /// Whose feed a stream's position belongs to.
  func feedIdentity(of stream: Stream) -> FeedIdentity {
    FeedIdentity(
      api: box.apiURL.origin, subject: subject(of: stream), asUser: stream.asUser, type: stream.type)
  }
}

extension FeedSettings {
  init(_ configuration: Configuration, _ stream: Configuration.Stream) {
    self.init(
      apiURL: configuration.box.apiURL, type: stream.type, asUser: stream.asUser ?? "",
      realtimeHosts: configuration.box.realtimeHosts.map(\.description))
  }
}

extension SpoolLimits {
  init(_ spool: Configuration.Spool) {
    self.init()
    segmentSize = Int(spool.segmentSize.bytes)
    segmentAge = spool.segmentAge
    keepFree = UInt64(spool.keepFree.bytes)
    maxSize = Int(spool.maxSize.bytes)
    maxAge = spool.maxAge
  }
}
