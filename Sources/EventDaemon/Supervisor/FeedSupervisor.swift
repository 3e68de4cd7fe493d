import BoxEvents
import Logging
import Synchronization
import Systemd

/// All streams of one process: each in a task of its own, started and stopped by name.
///
/// A stream that fails never stops another. The process ends by itself only when a disk fails, or when
/// every stream requires operator action.
final class FeedSupervisor: Sendable {
  /// One stream, ready to run.
  struct Feed: Sendable {
    let name: String
    let telemetry: StreamTelemetry
    /// Ends its waits early.
    let trigger: RetryTrigger
    /// What it runs on; nil for the common threads.
    let executor: (any TaskExecutor)?
    /// Recovers, and runs until its task is cancelled; throws a failure the store can't continue after.
    let run: @Sendable () async throws(StoreFailure) -> Void
  }

  private struct Running {
    var feed: Feed
    var task: Task<Void, Never>?
    var isStopping = false
    /// Resumed when the stream has ended.
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private struct State {
    var running: [String: Running] = [:]
    var fatal: StoreFailure?
    /// In order of name; nil after a change.
    var telemetries: [StreamTelemetry]?
  }

  private let state = Mutex(State())
  /// The streams to start; finished when the process is to end.
  private let started = AsyncStream.makeStream(of: Feed.self)
  private let clock: MonotonicFeedClock
  private let logger: Logger

  init(clock: MonotonicFeedClock, logger: Logger) {
    self.clock = clock
    self.logger = logger
  }

  /// The streams' telemetry, in order of name.
  var telemetries: [StreamTelemetry] {
    state.withLock { state in
      if let known = state.telemetries { return known }
      let sorted = state.running.values.map(\.feed.telemetry).sorted { $0.name < $1.name }
      state.telemetries = sorted
      return sorted
    }
  }

  /// Starts a stream; its name must not be in use.
  func start(_ feed: Feed) {
    state.withLock { state in
      state.running[feed.name] = Running(feed: feed)
      state.telemetries = nil
    }
    started.continuation.yield(feed)
  }

  /// Stops a stream and returns when it has saved its position and closed its files.
  func stop(_ name: String) async {
    await withCheckedContinuation { continuation in
      let isRunning = state.withLock { state in
        state.running[name]?.isStopping = true
        state.running[name]?.task?.cancel()
        state.running[name]?.waiters.append(continuation)
        return state.running[name] != nil
      }
      if !isRunning { continuation.resume() }
    }
  }

  /// Tries again at once what waits because something is wrong.
  func retry() {
    let now = clock.now
    for feed in state.withLock({ $0.running.values.map(\.feed) })
    where feed.telemetry.snapshot(at: now).error != nil { feed.trigger.pull() }
  }

  /// Runs the streams until the task is cancelled.
  /// - Throws: the failure of a disk, which is final for the process.
  func run() async throws(StoreFailure) {
    await withDiscardingTaskGroup { group in
      await withTaskCancellationHandler {
        for await feed in started.stream { group.addTask { await self.supervise(feed) } }
      } onCancel: {
        started.continuation.finish()
      }
      group.cancelAll()
    }
    if let fatal = state.withLock({ $0.fatal }) { throw fatal }
  }

  private func supervise(_ feed: Feed) async {
    let task = Task(executorPreference: feed.executor) { await self.run(feed) }
    let isStopping = state.withLock { state in
      state.running[feed.name]?.task = task
      return state.running[feed.name]?.isStopping == true
    }
    if isStopping { task.cancel() }
    await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    let waiters = state.withLock { state in
      state.telemetries = nil
      return state.running.removeValue(forKey: feed.name)?.waiters ?? []
    }
    for waiter in waiters { waiter.resume() }
  }

  private func run(_ feed: Feed) async {
    while !Task.isCancelled {
      do {
        return try await feed.run()
      } catch {
        switch error.code {
        case .io, .misuse: return fail(error, feed)
        case .blocked, .refused, .locked, .noSpace:
          let error = error.code == .refused ? error.withReload : error
          feed.telemetry.block(OperatorActionRequired(error), at: clock.now)
          logger.log(
            level: .error, "stream blocked", id: .streamBlocked,
            metadata: ["stream": "\(feed.name)"].explaining(error))
          await untilPulled(feed.trigger)
        }
      }
    }
  }

  /// Returns when the stream is to be tried again, from its recovery on, or the task is cancelled.
  private func untilPulled(_ trigger: RetryTrigger) async {
    while !Task.isCancelled, await !trigger.sleep(until: clock.now + .seconds(3600), clock) {}
  }

  private func fail(_ error: StoreFailure, _ feed: Feed) {
    state.withLock { $0.fatal = $0.fatal ?? error }
    let metadata = ["stream": "\(feed.name)"].explaining(error)
    if error.code == .misuse {
      logger.critical("unexpected error; the daemon ends and recovers at its next start", metadata: metadata)
    } else {
      logger.log(
        level: .critical, "disk failed; the daemon ends and recovers at its next start", id: .syncFailed,
        metadata: metadata)
    }
    started.continuation.finish()
  }
}

extension StoreFailure {
  /// A file that is as it must be again is looked at with the next reload.
  fileprivate var withReload: StoreFailure {
    var failure = self
    let reload = "Then run: systemctl reload box-eventd."
    failure.hint = hint.map { "\($0) \(reload)" } ?? reload
    return failure
  }
}

/// Returns when the task is cancelled.
func untilCancelled() async {
  while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
}
