import BoxEvents

/// The daemon at one moment: the source of `status`, the metrics, the page and `STATUS=`.
struct DaemonSnapshot: Sendable {
  /// What the daemon itself is doing, whatever its streams do; in order of time.
  enum Phase: Sendable, Hashable, Comparable {
    case starting
    case running
    case stopping
  }

  var version: String
  var phase: Phase
  /// When the process started, local time, seconds since 1970.
  var since: Double
  /// How the configuration on disk differs from the one in force: a part of a sentence, to follow "configuration on
  /// disk".
  var difference: String?
  /// In the order they are shown.
  var streams: [StreamSnapshot]
  /// Only its calls count: those for tokens, which belong to no stream.
  var signIns = StreamSnapshot(name: "", state: .stopped)
  /// Those of the streams and the sign-ins.
  var calls = CallUsage()

  /// The daemon in one word: while it runs, `degraded` as soon as a stream has a problem.
  var state: String {
    switch phase {
    case .starting: "starting"
    case .running: streams.contains { $0.problem != nil } ? "degraded" : "running"
    case .stopping: "stopping"
    }
  }
}

extension StreamSnapshot {
  /// What is wrong with a stream; nil if nothing is. One that is past its own deadline is `overdue`, one that
  /// reports an error while it waits or works is `failing`, or only `degraded` if it is read all the same: it recovers
  /// by itself.
  var problem: Problem? {
    switch state {
    case .blocked: .blocked
    case .stalled: .stalled
    case .paused: .paused
    case .starting, .reading, .polling, .waiting, .stopped:
      isTimely ? error.map { _ in isErrorOfRealtime ? .degraded : .failing } : .overdue
    }
  }

  /// What can be wrong with a stream, the worst first.
  enum Problem: String, Sendable, Hashable, CaseIterable {
    case blocked
    case overdue
    case stalled
    case paused
    case failing
    case degraded
  }
}

/// The answer of `/healthz`: healthy only while every stream is inside its deadlines, and none is stalled or blocked.
/// A full disk or an unreachable Box leaves it healthy: a restart would not help.
struct Health: Sendable, Hashable {
  var isHealthy: Bool
  /// The reason, one line: also what leaves the daemon healthy.
  var reason: String

  init(_ snapshot: DaemonSnapshot) {
    let unhealthy = snapshot.streams.filter {
      switch $0.state {
      case .blocked, .stalled: true
      case .starting, .reading, .polling, .waiting, .paused, .stopped: !$0.isTimely
      }
    }
    isHealthy = unhealthy.isEmpty
    let affected = isHealthy ? snapshot.streams.filter { $0.problem != nil } : unhealthy
    let worst = StreamSnapshot.Problem.allCases.lazy.compactMap { problem in
      affected.first { $0.problem == problem }
    }.first
    if let worst, let problem = worst.problem {
      let error = worst.error.map { ": \($0)" } ?? ""
      let others = affected.count > 1 ? " (and \(affected.count - 1) more)" : ""
      reason = PlainText.escaped(
        "\(isHealthy ? "ok: " : "")\(worst.name) is \(problem.rawValue)\(error)\(others)")
    } else {
      let count = snapshot.streams.count
      reason = "ok: \(count) \(count == 1 ? "stream" : "streams"), \(snapshot.state)"
    }
  }
}
