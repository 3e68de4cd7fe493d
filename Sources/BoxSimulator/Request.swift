import NIOCore
import NIOHTTP1

/// One HTTP request, read whole.
struct Request: Sendable {
  var method: HTTPMethod
  var path: String
  var query: Query
  /// As sent, for the log.
  var queryText: String
  var headers: HTTPHeaders
  var body: ByteBuffer
  var keepsAlive: Bool

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

  var text: String { String(buffer: body) }

  /// Which of Box's places this asks for; nil for control requests and unknown paths.
  var endpoint: SimulatedEndpoint? {
    switch (method, path) {
    case (.POST, "/oauth2/token"): .token
    case (.OPTIONS, "/2.0/events"): .options
    case (.GET, "/2.0/events"): .events
    case (.GET, "/subscribe"): .poll
    default: nil
    }
  }

  /// The token of an `Authorization: Bearer` header.
  var bearerToken: String? {
    guard let value = headers.first(name: "authorization"), value.lowercased().hasPrefix("bearer ") else {
      return nil
    }
    return String(value.dropFirst("bearer ".count))
  }

  var acceptsGzip: Bool {
    headers[canonicalForm: "accept-encoding"].contains { $0.hasPrefix("gzip") }
  }
}
