import NIOHTTP1

/// One request as the simulator's log keeps it.
package struct RequestRecord: Sendable {
  /// Nil for an unknown path.
  package var endpoint: SimulatedEndpoint?
  package var method: String
  package var path: String
  /// As sent, still percent-encoded.
  package var query: String
  /// In the order sent, names as sent.
  package var headers: [(name: String, value: String)]
  /// CLOCK_MONOTONIC when it had arrived.
  package var arrivedNanoseconds: UInt64

  init(_ request: Request) {
    endpoint = request.endpoint
    method = request.method.rawValue
    path = request.path
    query = request.queryText
    headers = request.headers.map { ($0.name, $0.value) }
    arrivedNanoseconds = SimulatedClock.monotonicNanoseconds
  }

  /// The value of a query item, percent-decoded.
  package func queryItem(_ name: String) -> String? { Query(query)[name] }

  /// The first value of a header, whatever its case.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
