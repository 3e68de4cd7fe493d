/// What has happened in a simulated Box since its start.
package struct SimulatorStatistics: Sendable {
  /// Requests that have arrived, including those with a fault.
  package var requests: [SimulatedEndpoint: Int] = [:]
  /// Faults played.
  package var faults: [SimulatedEndpoint: Int] = [:]
  /// Entries in all feeds.
  package var entries = 0
  /// Entries put into answers, repeats included.
  package var served = 0
  /// Polls held now.
  package var heldPolls = 0
  /// Polls answered because of something new.
  package var wokenPolls = 0
  /// Access tokens issued.
  package var issuedTokens = 0
  package var violations = 0

  /// Requests that have arrived at an endpoint.
  package func requests(_ endpoint: SimulatedEndpoint) -> Int { requests[endpoint] ?? 0 }

  var json: String {
    #"{"requests":\#(Self.json(requests)),"faults":\#(Self.json(faults)),"entries":\#(entries),"#
      + #""served":\#(served),"held_polls":\#(heldPolls),"woken_polls":\#(wokenPolls),"#
      + #""issued_tokens":\#(issuedTokens),"violations":\#(violations)}"#
  }

  private static func json(_ counts: [SimulatedEndpoint: Int]) -> String {
    let members = SimulatedEndpoint.allCases.map { "\"\($0.rawValue)\":\(counts[$0] ?? 0)" }
    return "{\(members.joined(separator: ","))}"
  }
}

/// Something that a client of Box must not do.
package struct Violation: Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// The bearer token was sent to a realtime server.
    case authorizationAtRealtime = "authorization-at-realtime"
    /// A position that no answer has carried: changed on its way.
    case unknownPosition = "unknown-position"
    /// More unproductive reads of a feed within a second than allowed.
    case hotLoop = "hot-loop"
    /// The same `jti` in two assertions.
    case repeatedAssertion = "repeated-assertion"
    case spentRefreshToken = "spent-refresh-token"
  }

  package let kind: Kind
  let detail: String

  package var description: String { "\(kind.rawValue): \(detail)" }
}
