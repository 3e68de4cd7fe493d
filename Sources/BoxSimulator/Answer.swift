import BoxEvents
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPCompression

/// One HTTP answer, before a fault is applied to it.
struct Answer: Sendable {
  var status = 200
  var headers: [(name: String, value: String)] = []
  var body = ByteBuffer()
  var closesConnection = false

  static func content(_ type: String, _ text: String, status: Int = 200) -> Answer {
    Answer(status: status, headers: [("Content-Type", type)], body: ByteBuffer(string: text))
  }

  static func json(_ text: String, status: Int = 200) -> Answer {
    content("application/json", text, status: status)
  }

  static func text(_ text: String, status: Int = 200) -> Answer {
    content("text/plain; charset=utf-8", text, status: status)
  }

  /// The answer of a gateway in between.
  static func html(_ text: String, status: Int = 200) -> Answer {
    let page = "<html><head><title>\(text)</title></head><body><h1>\(text)</h1></body></html>\n"
    return content("text/html", page, status: status)
  }

  /// A refusal by the API in Box's form.
  static func refusal(_ status: Int, _ code: String, _ message: String) -> Answer {
    let text =
      #"{"type":"error","status":\#(status),"code":\#(quoted(code)),"context_info":null,"#
      + #""help_url":"http://developers.box.com/docs/#errors","message":\#(quoted(message)),"#
      + #""request_id":"simulated"}"#
    return .json(text, status: status)
  }

  /// A refusal by the token endpoint (RFC 6749, section 5.2).
  static func tokenRefusal(_ status: Int, _ error: String, _ description: String) -> Answer {
    .json(#"{"error":\#(quoted(error)),"error_description":\#(quoted(description))}"#, status: status)
  }

  /// A refused token: an empty body, the reason only in a header.
  static var unauthorized: Answer {
    let reason =
      #"Bearer realm="Service", error="invalid_token", "#
      + #"error_description="The access token provided is invalid.""#
    return Answer(status: 401, headers: [("WWW-Authenticate", reason)])
  }

  /// A reply of the realtime server, which closes the connection, as Box's does.
  static func message(_ message: String, status: Int = 200) -> Answer {
    var answer = json(#"{"version":1,"message":\#(quoted(message))}"#, status: status)
    answer.closesConnection = true
    return answer
  }

  /// An endpoint's usual answer with this status, as a fault.
  static func failure(_ status: Int, at endpoint: SimulatedEndpoint) -> Answer {
    let text = reasonPhrase(status)
    let code = text.lowercased().replacing(" ", with: "_")
    switch (endpoint, status) {
    case (.token, _): return .tokenRefusal(status, code, "\(text) (simulated)")
    case (_, 401): return .unauthorized
    case (_, 502...504): return .html(text, status: status)
    default: return .refusal(status, code, "\(text) (simulated)")
    }
  }

  private static func quoted(_ text: String) -> String { JSONObjectWriter.quoted(text) }

  static func reasonPhrase(_ status: Int) -> String {
    let phrase = HTTPResponseStatus(statusCode: status).reasonPhrase
    return phrase.isEmpty ? "Status \(status)" : phrase
  }
}

/// The answer to a request that is not granted.
struct Refusal: Error {
  let answer: Answer

  static func badRequest(_ message: String) -> Refusal {
    Refusal(answer: .refusal(400, "bad_request", message))
  }

  static func grant(_ description: String, code: String = "invalid_grant") -> Refusal {
    Refusal(answer: .tokenRefusal(400, code, description))
  }

  static func claim(_ name: String, _ reason: String) -> Refusal {
    grant("Please check the '\(name)' claim. \(reason)")
  }
}

// MARK: Encoding

extension Answer {
  /// The answer with its body as it is sent: compressed if wanted, or damaged by a fault of the body.
  func encoded(for request: Request, offersGzip: Bool, playing fault: Fault) -> Answer {
    var answer = self
    let fault = fault.innermost
    if fault == .truncateJSON { answer.body = body.firstHalf }
    switch fault {
    case .brokenGzip: answer.body = ByteBuffer(string: "this is not a gzip stream")
    case .truncatedGzip: answer.body = body.gzipped.firstHalf
    // Gateways leave small bodies alone.
    case _ where offersGzip && request.acceptsGzip && answer.body.readableBytes > 256:
      answer.body = answer.body.gzipped
    default: return answer
    }
    answer.headers.append(("Content-Encoding", "gzip"))
    return answer
  }
}

extension ByteBuffer {
  var firstHalf: ByteBuffer { getSlice(at: readerIndex, length: readableBytes / 2) ?? ByteBuffer() }

  /// The gzip form (RFC 1952) of these bytes, by NIO's streaming handler; the bytes themselves if that fails.
  fileprivate var gzipped: ByteBuffer {
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    do {
      try channel.pipeline.syncOperations.addHandler(HTTPResponseCompressor())
      let head = HTTPRequestHead(
        version: .http1_1, method: .GET, uri: "/", headers: ["Accept-Encoding": "gzip"])
      try channel.writeInbound(HTTPServerRequestPart.head(head))
      try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok)))
      try channel.writeOutbound(HTTPServerResponsePart.body(.byteBuffer(self)))
      try channel.writeOutbound(HTTPServerResponsePart.end(nil))
      var compressed = ByteBuffer()
      while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
        if case .body(.byteBuffer(var buffer)) = part { compressed.writeBuffer(&buffer) }
      }
      return compressed
    } catch {
      return self
    }
  }
}
