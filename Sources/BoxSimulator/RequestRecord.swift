import NIOHTTP1

/// One request as the simulator's log keeps it.
public struct RequestRecord: Sendable {
  /// Nil for an unknown path.
  public var endpoint: SimulatedEndpoint?
  public var method: String
  public var path: String
  /// As sent, still percent-encoded.
  public var query: String
  /// In the order sent, names as sent.
  public var headers: [(name: String, value: String)]
  /// CLOCK_MONOTONIC when it had arrived.
  public var arrivedNanoseconds: UInt64

  init(_ request: Request) {
    endpoint = request.endpoint
    method = request.method.rawValue
    path = request.path
    query = request.queryText
    headers = request.headers.map { ($0.name, $0.value) }
    arrivedNanoseconds = SimulatedClock.monotonicNanoseconds
  }

  /// The value of a query item, percent-decoded.
  public func queryItem(_ name: String) -> String? { Query(query)[name] }

  /// The first value of a header, whatever its case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
