import BoxEvents
import NIOHTTP1

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
    var object = JSONObjectWriter()
    object.add("requests", raw: Self.json(requests))
    object.add("faults", raw: Self.json(faults))
    object.add("entries", entries)
    object.add("served", served)
    object.add("held_polls", heldPolls)
    object.add("woken_polls", wokenPolls)
    object.add("issued_tokens", issuedTokens)
    object.add("violations", violations)
    return object.text
  }

  private static func json(_ counts: [SimulatedEndpoint: Int]) -> String {
    var object = JSONObjectWriter()
    for endpoint in SimulatedEndpoint.allCases { object.add(endpoint.rawValue, counts[endpoint] ?? 0) }
    return object.text
  }
}

/// Something that a client of Box must not do.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// The bearer token was sent to a realtime server.
    case authorizationAtRealtime = "authorization-at-realtime"
    /// A position that no answer has carried: changed on its way.
    case unknownPosition = "unknown-position"
    /// More unproductive reads of a feed within a second than allowed.
    case hotLoop = "hot-loop"
    /// The same `jti` in two assertions.
    case repeatedAssertion = "repeated-assertion"
    /// A refresh token that was spent already.
    case spentRefreshToken = "spent-refresh-token"
  }

  package var kind: Kind
  package var detail: String

  package var description: String { "\(kind.rawValue): \(detail)" }
}

/// One request in the simulator's log.
package struct RequestRecord: Sendable {
  /// Nil for an unknown path.
  package var endpoint: SimulatedEndpoint?
  package var method: String
  package var path: String
  /// As sent, percent-encoded.
  package var query: String
  /// In the order sent, names as sent.
  package var headers: [(name: String, value: String)]

  init(_ request: Request) {
    endpoint = request.endpoint
    method = request.method.rawValue
    path = request.path
    query = request.queryText
    headers = request.headers.map { ($0.name, $0.value) }
  }

  /// The value of a query item, percent-decoded.
  package func queryItem(_ name: String) -> String? { Query(query)[name] }

  /// The first value of a header, whatever its case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
