/// The whole daemon at one moment: what `status`, the metrics, the page and `STATUS=` are made from.
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

  /// The daemon in one word: while it runs, `degraded` as soon as a stream is in problem.
  package var state: String {
    switch phase {
    case .starting: "starting"
    case .running: streams.contains { $0.problem != nil } ? "degraded" : "running"
    case .stopping: "stopping"
    }
  }
}

extension StreamSnapshot {
  /// The word for what is wrong with a stream, or nil if nothing is.
  ///
  /// A stream that is late for its own deadline is `overdue`, whatever it thinks it is doing; one
  /// that reports an error while it waits or goes on is `failing`: it recovers by itself.
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
