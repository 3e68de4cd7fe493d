import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPCompression

/// Compression in one call, made of NIO's streaming one.
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
