import BoxEvents

/// The answer of `/healthz`: fit only while every stream is inside its deadlines, none stalled and
/// none blocked. A full disk or an unreachable Box is no ill health: a restart would not help.
package struct Health: Sendable, Hashable {
  package var isHealthy: Bool
  /// One line, the reason.
  package var reason: String

  package init(_ snapshot: DaemonSnapshot) {
    let ill = snapshot.streams.filter {
      switch $0.state {
      case .blocked, .stalled: true
      case .starting, .reading, .polling, .waiting, .paused, .stopped: !$0.isTimely
      }
    }
    isHealthy = ill.isEmpty
    if let first = ill.first {
      let word = first.problem?.rawValue ?? first.state.rawValue
      let error = first.error.map { ": \($0)" } ?? ""
      let others = ill.count > 1 ? " (and \(ill.count - 1) more)" : ""
      reason = PlainText.escaped("\(first.name) is \(word)\(error)\(others)")
    } else {
      let count = snapshot.streams.count
      reason = "ok: \(count) \(count == 1 ? "stream" : "streams"), \(snapshot.state)"
    }
  }
}
