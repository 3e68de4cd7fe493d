import FoundationEssentials
import NIOCore
import NIOHTTP1

/// One complete HTTP request.
package struct Request: Sendable {
  let method: HTTPMethod
  package let path: String
  /// As sent, percent-encoded.
  let queryText: String
  package let query: Query
  let headers: HTTPHeaders
  let body: ByteBuffer
  let keepsAlive: Bool

  init(head: HTTPRequestHead, body: ByteBuffer) {
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    method = head.method
    path = String(parts.first ?? "/")
    queryText = parts.count > 1 ? String(parts[1]) : ""
    query = Query(queryText)
    headers = head.headers
    self.body = body
    keepsAlive = head.isKeepAlive
  }

  /// Nil for control requests and unknown paths.
  package var endpoint: SimulatedEndpoint? {
    switch (method, path) {
    case (.POST, "/oauth2/token"): .token
    case (.OPTIONS, "/2.0/events"): .options
    case (.GET, "/2.0/events"): .events
    case (.GET, "/subscribe"): .poll
    default: nil
    }
  }

  /// The first value of a header, whatever its case.
  package func header(_ name: String) -> String? { headers.first(name: name) }

  /// The token of an `Authorization: Bearer` header.
  var bearerToken: String? {
    guard let value = header("authorization"), value.lowercased().hasPrefix("bearer ") else { return nil }
    return String(value.dropFirst("bearer ".count))
  }

  var acceptsGzip: Bool { headers[canonicalForm: "accept-encoding"].contains { $0.hasPrefix("gzip") } }
}

/// The four endpoints of Box that a client calls; see ``Request/endpoint``.
package enum SimulatedEndpoint: String, Sendable, CaseIterable {
  case token, options, events, poll
}

/// Name and value pairs of a query string or a form.
package struct Query: Sendable {
  private let items: [URLQueryItem]

  /// Reads `a=1&b=2`, percent-decoded, `+` as a space.
  init(_ text: String) {
    items = URLComponents(string: "?" + text.replacing("+", with: "%20"))?.queryItems ?? []
  }

  /// The first value under this name.
  package subscript(name: String) -> String? { items.first { $0.name == name }.map { $0.value ?? "" } }

  /// The integer under this name; nil if it is absent or not a number.
  func integer(_ name: String) -> Int? { self[name].flatMap { Int($0) } }
}
