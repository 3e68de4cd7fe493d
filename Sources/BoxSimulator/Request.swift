import NIOCore
import NIOHTTP1

/// One complete HTTP request.
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

  /// Nil for control requests and unknown paths.
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

/// The four endpoints of Box that a client calls.
package enum SimulatedEndpoint: String, Sendable, CaseIterable {
  /// `POST /oauth2/token`
  case token
  /// `OPTIONS /2.0/events`
  case options
  /// `GET /2.0/events`
  case events
  /// `GET /subscribe`, the realtime server
  case poll
}

/// Name and value pairs of a query string or a form.
struct Query: Sendable {
  private var items: [(name: String, value: String)] = []

  /// Reads `a=1&b=2`, percent-decoded, `+` as a space.
  init(_ text: some StringProtocol) {
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      items.append((Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : ""))
    }
  }

  /// The first value under this name.
  subscript(name: String) -> String? { items.first { $0.name == name }?.value }

  /// The integer under this name; nil if it is absent or not a number.
  func integer(_ name: String) -> Int? { self[name].flatMap { Int($0) } }

  private static func decoded(_ text: some StringProtocol) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(text)
    }
    var bytes: [UInt8] = []
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(0x20)
      case UInt8(ascii: "%"):
        let digits = [rest.next(), rest.next()].compactMap { $0 }
        if let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) { bytes.append(code) }
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
