/// What has happened in a simulated Box since its start.
package struct SimulatorStatistics: Sendable {
  /// Requests arrived, faulted ones included.
  package var requests: [SimulatedEndpoint: Int] = [:]
  /// Faults played.
  package var faults: [SimulatedEndpoint: Int] = [:]
  /// Entries in all feeds.
  package var entries = 0
  /// Entries put into answers, repeats included.
  package var served = 0
  /// Polls held right now.
  package var heldPolls = 0
  /// Polls answered with something new.
  package var wokenPolls = 0
  /// Access tokens handed out.
  package var issuedTokens = 0
  package var violations = 0

  /// Requests arrived at an endpoint.
  package func requests(_ endpoint: SimulatedEndpoint) -> Int { requests[endpoint] ?? 0 }

  var json: String {
    JSONWriter.object([
      "requests": Self.json(requests), "faults": Self.json(faults), "entries": "\(entries)",
      "served": "\(served)", "held_polls": "\(heldPolls)", "woken_polls": "\(wokenPolls)",
      "issued_tokens": "\(issuedTokens)", "violations": "\(violations)",
    ])
  }

  private static func json(_ counts: [SimulatedEndpoint: Int]) -> String {
    JSONWriter.object(
      Dictionary(uniqueKeysWithValues: SimulatedEndpoint.allCases.map { ($0.rawValue, "\(counts[$0] ?? 0)") })
    )
  }
}
