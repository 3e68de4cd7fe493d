import NIOCore
import NIOHTTP1

/// Refuses answers with a status below 100, which the HTTP library's parser lets pass: the library takes their head for
/// an interim one, and ends the process when the rest of the answer follows.
final class AnswerCheck: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart

  /// Adds it to a connection of the HTTP library, behind its parser.
  static func add(to channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.submit {
      let pipeline = channel.pipeline.syncOperations
      let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
      try pipeline.addHandler(AnswerCheck(), position: .after(parser))
    }
  }

  /// Nothing that follows on the connection counts.
  private var isRefused = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isRefused else { return }
    guard case .head(let head) = unwrapInboundIn(data), head.status.code < 100 else {
      return context.fireChannelRead(data)
    }
    isRefused = true
    context.fireErrorCaught(HTTPParserError.invalidStatus)
  }
}
