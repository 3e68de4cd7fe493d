import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// Writes an answer's `Content-Encoding` as the HTTP library knows it, which else hands compressed bytes on as they are:
/// `x-gzip` is `gzip` (RFC 9110, section 8.4.1.3).
final class ContentEncoding: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart

  /// Adds it and the check of answers to a connection of the HTTP library, before what decompresses.
  static func add(to channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.submit {
      let pipeline = channel.pipeline.syncOperations
      let decompressor = try pipeline.handler(type: NIOHTTPResponseDecompressor.self)
      try pipeline.addHandlers([AnswerCheck(), ContentEncoding()], position: .before(decompressor))
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data), head.headers.contains(name: "content-encoding") else {
      return context.fireChannelRead(data)
    }
    let names = head.headers[canonicalForm: "content-encoding"].map(String.init)
    let encodings = Self.hasNoBody(head) ? [] : Self.normalized(names)
    head.headers.remove(name: "content-encoding")
    for encoding in encodings { head.headers.add(name: "content-encoding", value: encoding) }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  /// Nothing is to be decompressed, and nothing damaged. A success needs its body.
  private static func hasNoBody(_ head: HTTPResponseHead) -> Bool {
    switch head.status.code {
    case ..<200, 204, 304: true
    case 200..<300: false
    default: head.headers.first(name: "content-length") == "0"
    }
  }

  /// The names in lower case and without blanks, old names as new ones, without `identity`.
  static func normalized(_ encodings: [String]) -> [String] {
    encodings.map { String($0.filter { !$0.isWhitespace }).lowercased() }.map { $0 == "x-gzip" ? "gzip" : $0 }
      .filter { !["", "identity"].contains($0) }
  }
}
