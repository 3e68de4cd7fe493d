import BoxClient
import BoxEvents
import Glibc
import Logging
import Spool
import Systemd

/// Makes a stream's parts from its table in the configuration.
struct FeedFactory: Sendable {
  let configuration: Configuration
  let directories: DaemonDirectories
  let transport: BoxTransport
  let tokenRegistry: TokenRegistry
  let calls: CallCounter
  let changes: ChangeSignal
  let minimumSegmentLife: Duration
  let clock: MonotonicFeedClock
  let logger: Logger
  let threads: DiskThreads
  let bootID: String

  /// A stream that is ready to run.
  func feed(_ stream: Configuration.Stream) throws(DaemonFailure) -> FeedSupervisor.Feed {
    let rules = FeedRules(stream)
    let telemetry = StreamTelemetry(name: stream.name, retention: rules.retention, changes: changes)
    var log = logger
    log[metadataKey: "stream"] = "\(stream.name)"
    let source = try DaemonFailure.mapping { () throws(ClientSettingsError) in
      try BoxSource(
        transport: transport, tokens: tokenRegistry.tokens(for: configuration.subject(of: stream)),
        settings: FeedSettings(configuration, stream)
      ) { [log, clock, calls] stage in
        calls.observe(stage, at: clock.now)
        telemetry.observe(stage, budget: rules.requestBudget, at: clock.now)
        log.log(stage)
      }
    }
    let trigger = RetryTrigger()
    return FeedSupervisor.Feed(
      name: stream.name, telemetry: telemetry, trigger: trigger, executor: transport.executor
    ) { () throws(StoreFailure) in
      // A store that has failed is closed and of no use any more.
      try await run(source, stream, telemetry, rules, trigger).run()
    }
  }

  /// Not inlined: the driver's parts would be in the task's frame once more.
  @inline(never)
  private func run(
    _ source: BoxSource, _ stream: Configuration.Stream, _ telemetry: StreamTelemetry, _ rules: FeedRules,
    _ trigger: RetryTrigger
  ) -> FeedRun {
    FeedRun(
      FeedDriver(
        source: source, store: store(stream, telemetry), clock: clock, rules: rules,
        start: stream.start, seed: .random(in: 0...(.max)), trigger: trigger,
        report: FeedReport(telemetry, logger: logger)))
  }

  private func store(_ stream: Configuration.Stream, _ telemetry: StreamTelemetry) -> StreamSpool {
    let feed = configuration.feedIdentity(of: stream)
    let location = StreamSpool.Location(
      name: stream.name, feed: feed, spoolRoot: directories.spool, stateRoot: directories.state)
    var limits = SpoolLimits(configuration.spool)
    limits.minimumSegmentLife = minimumSegmentLife
    var logger = logger
    logger[metadataKey: "stream"] = "\(stream.name)"
    return StreamSpool(
      location, limits: limits, bootID: bootID, thread: threads.next(),
      owner: { [tokenRegistry] in tokenRegistry.owner(of: feed) },
      // Reading may take long; the deadline moves with its progress. A call's time begins when it runs.
      progress: { [clock] bytes in
        telemetry.setDeadline(clock.now.advanced(by: .seconds(bytes == 0 ? 30 : 60)))
      },
      warn: { [logger] failure in
        logger.warning("a finished segment was passed over", metadata: [:].explaining(failure))
      })
  }
}

extension Configuration {
  /// Whose feed a stream's position belongs to.
  func feedIdentity(of stream: Stream) -> FeedIdentity {
    FeedIdentity(
      api: box.apiURL.origin, subject: subject(of: stream), asUser: stream.asUser, type: stream.type)
  }
}

extension FeedRules {
  init(_ stream: Configuration.Stream) {
    self.init(type: stream.type)
    lookbackInterval = stream.lookbackInterval
  }
}

extension Configuration {
  /// What it costs at rest, about: calls to Box by kind.
  func quietCalls(in span: Duration) -> CallCounts {
    var counts = streams.reduce(into: CallCounts()) { sum, stream in
      sum.merge(FeedRules(stream).quietCalls(in: span)) { $0 + $1 }
    }
    // Whoever renews a token from outside makes the calls.
    if auth.method != .accessToken {
      let renewal = AccessTokens.renewalAge(lifetime: .seconds(3600))
      for _ in Set(streams.map { subject(of: $0) }) {
        counts.merge(FeedRules.tokenCalls(in: span, renewal: renewal)) { $0 + $1 }
      }
    }
    return counts
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

/// How many files and connections this process may have open at once.
enum OpenFileLimit {
  /// How many that number of streams needs, with a reserve: a connection each, four files for those that write (see
  /// `DiskThread.noteOpen`), and 72 for the rest of the daemon, of which event loops take three each. Checked at the
  /// start, since NIO ends the process where it can't make an event loop.
  static func need(streams: Int) -> UInt64 {
    UInt64(72 + streams + 4 * min(streams, DiskThreads.count * DiskThread.openStreams))
  }

  /// Raises the limit to what the service manager allows.
  ///
  /// systemd starts services with a soft limit of 1,024, for the sake of programs that use select(2), and a hard one
  /// of 524,288. Programs that need more and don't use select(2) raise it themselves. See systemd.exec(5),
  /// "LimitNOFILE=". The corresponding C function is `setrlimit`.
  /// - Throws: `DaemonFailure` where that is too little for so many streams.
  static func raise(streams: Int) throws(DaemonFailure) {
    guard var limit = try limit(streams: streams) else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// The limit of this process; nil where it can't be seen.
  /// - Throws: `DaemonFailure` where it is too low for so many streams.
  static func limit(streams: Int) throws(DaemonFailure) -> rlimit? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    let need = need(streams: streams)
    guard limit.rlim_max >= need else {
      throw DaemonFailure(
        .configuration,
        "the limit of open files is \(limit.rlim_max); "
          + "\(streams == 1 ? "1 stream needs" : "\(streams) streams need") \(need)",
        hint: "Raise LimitNOFILE= of the unit, or ulimit -n: a stream needs one, and 64 of them four more.",
        errno: EMFILE)
    }
    return limit
  }
}

/// A driver at one place in memory, which its task's frames refer to.
private final class FeedRun {
  private var driver: FeedDriver<BoxSource, StreamSpool, MonotonicFeedClock>

  @inline(never)
  init(_ driver: consuming FeedDriver<BoxSource, StreamSpool, MonotonicFeedClock>) { self.driver = driver }

  func run() async throws(StoreFailure) { try await driver.run() }
}
