import NIOCore
import NIOHTTP1

/// Refuses answers with a status below 100, which the HTTP library's parser lets pass: the library takes their head for
/// an interim one, and ends the process when the rest of the answer follows.
final class AnswerCheck: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart

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
