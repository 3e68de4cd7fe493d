import BoxEvents
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPCompression

/// One HTTP answer, before a fault is applied to it.
struct Answer: Sendable {
  var status: Int
  var headers: [(name: String, value: String)] = []
  var body: ByteBuffer
  var closesConnection = false

  init(status: Int = 200, headers: [(name: String, value: String)] = [], body: ByteBuffer) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  static func json(_ text: String, status: Int = 200) -> Answer {
    Answer(status: status, headers: [("Content-Type", "application/json")], body: ByteBuffer(string: text))
  }

  static func text(_ text: String, status: Int = 200) -> Answer {
    Answer(
      status: status, headers: [("Content-Type", "text/plain; charset=utf-8")],
      body: ByteBuffer(string: text))
  }

  /// A refusal by the API in Box's form.
  static func refusal(_ status: Int, _ code: String, _ message: String) -> Answer {
    var object = JSONObjectWriter()
    object.add("type", "error")
    object.add("status", status)
    object.add("code", code)
    object.add("context_info", raw: "null")
    object.add("help_url", "http://developers.box.com/docs/#errors")
    object.add("message", message)
    object.add("request_id", "simulated")
    return .json(object.text, status: status)
  }

  /// A refusal by the token endpoint (RFC 6749, section 5.2).
  static func tokenRefusal(_ status: Int, _ error: String, _ description: String) -> Answer {
    var object = JSONObjectWriter()
    object.add("error", error)
    object.add("error_description", description)
    return .json(object.text, status: status)
  }

  /// A refused token: an empty body, the reason only in a header.
  static var unauthorized: Answer {
    let reason =
      #"Bearer realm="Service", error="invalid_token", "#
      + #"error_description="The access token provided is invalid.""#
    return Answer(status: 401, headers: [("WWW-Authenticate", reason)], body: ByteBuffer())
  }

  /// A reply of the realtime server.
  static func message(_ message: String, status: Int = 200) -> Answer {
    .json(#"{"version":1,"message":\#(JSONObjectWriter.quoted(message))}"#, status: status)
  }

  /// An endpoint's usual answer with this status, as a fault.
  static func failure(_ status: Int, at endpoint: SimulatedEndpoint) -> Answer {
    let text = reasonPhrase(status)
    let code = text.lowercased().replacing(" ", with: "_")
    switch (endpoint, status) {
    case (.token, _): return .tokenRefusal(status, code, "\(text) (simulated)")
    case (_, 401): return .unauthorized
    case (_, 502), (_, 503), (_, 504): return .html(text, status: status)
    default: return .refusal(status, code, "\(text) (simulated)")
    }
  }

  /// The answer of a gateway in between.
  static func html(_ text: String, status: Int = 200) -> Answer {
    Answer(
      status: status, headers: [("Content-Type", "text/html")],
      body: ByteBuffer(
        string: "<html><head><title>\(text)</title></head><body><h1>\(text)</h1></body></html>\n"))
  }

  static func reasonPhrase(_ status: Int) -> String {
    let phrase = HTTPResponseStatus(statusCode: status).reasonPhrase
    return phrase.isEmpty ? "Status \(status)" : phrase
  }
}

// MARK: Encoding

extension Answer {
  /// The answer with its body as it is sent: compressed if wanted, or damaged by a fault of the body.
  func encoded(for request: Request, offersGzip: Bool, playing fault: Fault) -> Answer {
    switch fault.innermost {
    case .brokenGzip: return with(ByteBuffer(string: "this is not a gzip stream"), encoding: "gzip")
    case .truncatedGzip: return with(Gzip.compress(body).firstHalf, encoding: "gzip")
    case .truncateJSON: return with(body.firstHalf).compressed(for: request, offersGzip)
    default: return compressed(for: request, offersGzip)
    }
  }

  private func compressed(for request: Request, _ offersGzip: Bool) -> Answer {
    // Gateways leave small bodies alone.
    guard offersGzip, request.acceptsGzip, body.readableBytes > 256 else { return self }
    return with(Gzip.compress(body), encoding: "gzip")
  }

  private func with(_ body: ByteBuffer, encoding: String? = nil) -> Answer {
    var answer = self
    answer.body = body
    if let encoding { answer.headers.append(("Content-Encoding", encoding)) }
    return answer
  }
}

extension ByteBuffer {
  var firstHalf: ByteBuffer { getSlice(at: readerIndex, length: readableBytes / 2) ?? ByteBuffer() }
}

/// Compression in one call, by NIO's streaming handler.
enum Gzip {
  /// The gzip form (RFC 1952) of these bytes; the bytes themselves if compression fails.
  static func compress(_ bytes: ByteBuffer) -> ByteBuffer {
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    do {
      try channel.pipeline.syncOperations.addHandler(HTTPResponseCompressor())
      let head = HTTPRequestHead(
        version: .http1_1, method: .GET, uri: "/", headers: ["Accept-Encoding": "gzip"])
      try channel.writeInbound(HTTPServerRequestPart.head(head))
      try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok)))
      try channel.writeOutbound(HTTPServerResponsePart.body(.byteBuffer(bytes)))
      try channel.writeOutbound(HTTPServerResponsePart.end(nil))
      return try collect(channel)
    } catch {
      return bytes
    }
  }

  private static func collect(_ channel: EmbeddedChannel) throws -> ByteBuffer {
    var compressed = ByteBuffer()
    while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
      if case .body(.byteBuffer(var buffer)) = part { compressed.writeBuffer(&buffer) }
    }
    return compressed
  }
}
