import BoxEvents

/// The daemon at one moment: the source of `status`, the metrics, the page and `STATUS=`.
package struct DaemonSnapshot: Sendable {
  /// What the daemon itself is doing, whatever its streams do; in order of time.
  package enum Phase: Int, Sendable, Hashable, Comparable {
    case starting
    case running
    case stopping

    package static func < (one: Phase, other: Phase) -> Bool { one.rawValue < other.rawValue }
  }

  package var version: String
  package var phase: Phase
  /// When the process started, local time, seconds since 1970.
  package var since: Double
  /// In the order they are shown.
  package var streams: [StreamSnapshot]

  package init(version: String, phase: Phase, since: Double, streams: [StreamSnapshot]) {
    self.version = version
    self.phase = phase
    self.since = since
    self.streams = streams
  }

  /// The daemon in one word: while it runs, `degraded` as soon as a stream has a problem.
  package var state: String {
    switch phase {
    case .starting: "starting"
    case .running: streams.contains { $0.problem != nil } ? "degraded" : "running"
    case .stopping: "stopping"
    }
  }
}

extension StreamSnapshot {
  /// What is wrong with a stream; nil if nothing is.
  ///
  /// A stream that is past its own deadline is `overdue`, whatever its state; one
  /// that reports an error while it waits or works is `failing`: it recovers by itself.
  package var problem: Problem? {
    switch state {
    case .blocked: .blocked
    case .stalled: .stalled
    case .paused: .paused
    case .starting, .reading, .polling, .waiting, .stopped:
      isTimely ? (error == nil ? nil : .failing) : .overdue
    }
  }

  /// What can be wrong with a stream, the worst first.
  package enum Problem: String, Sendable, Hashable, CaseIterable {
    case blocked
    case overdue
    case stalled
    case paused
    case failing
  }
}

/// The answer of `/healthz`: healthy only while every stream is inside its deadlines, and none is stalled or blocked.
/// A full disk or an unreachable Box leaves it healthy: a restart would not help.
package struct Health: Sendable, Hashable {
  package var isHealthy: Bool
  /// The reason, one line.
  package var reason: String

  package init(_ snapshot: DaemonSnapshot) {
    let unhealthy = snapshot.streams.filter {
      switch $0.state {
      case .blocked, .stalled: true
      case .starting, .reading, .polling, .waiting, .paused, .stopped: !$0.isTimely
      }
    }
    isHealthy = unhealthy.isEmpty
    if let first = unhealthy.first {
      let word = first.problem?.rawValue ?? first.state.rawValue
      let error = first.error.map { ": \($0)" } ?? ""
      let others = unhealthy.count > 1 ? " (and \(unhealthy.count - 1) more)" : ""
      reason = PlainText.escaped("\(first.name) is \(word)\(error)\(others)")
    } else {
      let count = snapshot.streams.count
      reason = "ok: \(count) \(count == 1 ? "stream" : "streams"), \(snapshot.state)"
    }
  }
}
