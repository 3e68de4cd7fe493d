import BoxEvents

/// A small Box of its own, which misbehaves as the real one does, by a seed.
///
/// It shares no code with the daemon, and none with the simulator that the other tests use. Unguarded,
/// as ``SimulatedDisk`` is.
final class SimulatedBox: EventSource, @unchecked Sendable {
  var world: BoxWorld
  let clock: SimulatedClock
  let disk: SimulatedDisk
  let trace: Trace
  /// Called with each page of events that is served intact.
  var served: @Sendable (BoxWorld.Page) -> Void = { _ in }
  /// Called when the daemon asks for a server or polls.
  var waitsForChange: @Sendable () -> Void = {}
  /// Whether all that can be had is in the spool.
  var isComplete: @Sendable () -> Bool = { false }
  /// Whether the spool has Box's time.
  var hasStoredTime: @Sendable () -> Bool = { false }
  /// This run ends at this call, in this way; nil for SIGTERM.
  var ending: (call: Int, fault: Fault?)?
  /// Why the simulation had to be stopped.
  private(set) var problem: String?
  private(set) var calls = 0
  private var idleReads = 0

  init(_ world: BoxWorld, clock: SimulatedClock, disk: SimulatedDisk, trace: Trace) {
    self.world = world
    self.clock = clock
    self.disk = disk
    self.trace = trace
  }

  /// A new process calls.
  func restart(ending: (call: Int, fault: Fault?)?) {
    self.ending = ending.map { (calls + $0.call, $0.fault) }
    idleReads = 0
  }

  // MARK: EventSource

  func read(_ request: ReadRequest) async throws(FeedFailure) -> PageAnswer {
    try enter("read \(request.position) limit \(request.limit)")
    world.forget(at: clock.trueSeconds)
    if isComplete() {
      idleReads += 1
      if idleReads > 3 { throw stop() }
    }
    if let failure = world.failure() {
      trace.add("    \(failure.code)")
      throw failure
    }
    if !world.hasRealtime { world.arrive(at: clock.trueSeconds) }
    var page = world.page(from: request.position, limit: request.limit)
    let date = world.date(clock.trueSeconds, canBeOdd: hasStoredTime())
      .map { BoxTime(secondsSince1970: $0) }
    page.isDated = date?.secondsSince1970 == clock.trueSeconds
    if !page.isDated { trace.add("    dated \(date?.date.rfc3339 ?? "not at all")") }
    guard !page.isBroken else {
      trace.add("    a broken page")
      return PageAnswer(body: page.body, date: date)
    }
    trace.add("    \(String(decoding: page.body, as: UTF8.self))")
    served(page)
    return PageAnswer(body: page.body, date: date)
  }

  func subscribe() async throws(FeedFailure) -> RealtimeServer {
    try enter("subscribe")
    waitsForChange()
    if let failure = world.failure() { throw failure }
    return world.server()
  }

  func poll(
    _ server: RealtimeServer, from position: ReadPosition
  ) async throws(FeedFailure) -> RealtimeReply {
    try enter("poll \(position)")
    if server.briefly == nil { waitsForChange() }
    if isComplete() { throw stop() }
    let answer = world.reply()
    if let limit = server.briefly, answer.after > limit {
      clock.advance(by: limit)
      var failure = FeedFailure(.unreachable, "no answer in time")
      failure.interruption = .timedOut
      throw failure
    }
    clock.advance(by: answer.after)
    if let failure = answer.failure {
      trace.add("    \(failure.code)")
      throw failure
    }
    if answer.arrives { world.arrive(at: clock.trueSeconds) }
    trace.add("    \(answer.reply)")
    return answer.reply
  }

  // MARK: The end of a run

  private func enter(_ what: String) throws(FeedFailure) {
    calls += 1
    clock.advance(by: .milliseconds(80))
    trace.add("  box \(calls): \(what)")
    watch()
    if let ending, calls >= ending.call {
      trace.add("  the process ends: \(ending.fault.map { "\($0)" } ?? "SIGTERM")")
      if let fault = ending.fault { disk.end(fault) }
      throw stop()
    }
    if Task.isCancelled { throw FeedFailure(.cancelled, "cancelled") }
  }

  /// Ends a run that has stopped moving.
  func watch() {
    if calls > Scenario.maximumBoxCalls || disk.calls > Scenario.maximumDiskCalls {
      problem = "no progress after \(calls) calls to Box and \(disk.calls) to the disk"
      _ = stop()
    }
  }

  private func stop() -> FeedFailure {
    withUnsafeCurrentTask { $0?.cancel() }
    return FeedFailure(.cancelled, "the daemon stops")
  }
}
