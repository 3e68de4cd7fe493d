import Glibc
import NIOCore
import NIOHTTP1

/// One connection: reads requests one after the other and sends their answers.
///
/// Writes raw bytes, since many of the answers are deliberately not valid HTTP.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = ByteBuffer

  /// More than any request of the protocol; control requests append large events.
  private static let maximumBody = 64 << 20

  private let core: SimulatorCore
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  /// Requests that came before the answer to the one in work.
  private var queue: [Request] = []
  private var isBusy = false
  /// Closes the connection when it has been idle for long.
  private var idle: Scheduled<Void>?
  private var held: (id: UInt64, feed: FeedKey, request: Request, fault: Fault, timeout: Scheduled<Void>)?

  init(core: SimulatorCore) { self.core = core }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(var bytes):
      body.writeBuffer(&bytes)
      if body.readableBytes > Self.maximumBody { context.close(promise: nil) }
    case .end:
      guard let head else { return }
      let request = Request(head: head, body: body)
      self.head = nil
      body = ByteBuffer()
      if isBusy { queue.append(request) } else { begin(request, context) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if let held { _ = release(held.id, held.feed) }
    held?.timeout.cancel()
    held = nil
    idle?.cancel()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func begin(_ request: Request, _ context: ChannelHandlerContext) {
    isBusy = true
    idle?.cancel()
    let loop = context.eventLoop
    let bound = NIOLoopBound((handler: self, context: context), eventLoop: loop)
    let outcome = core.receive(request) { [message = core.options.realtime.changeMessage] in
      loop.execute { bound.value.handler.answerHeld(message, bound.value.context) }
    }
    switch outcome {
    case .deliver(let answer, let fault): deliver(answer, to: request, fault, context)
    case .hold(let id, let feed, let fault):
      let timeout = loop.assumeIsolated().scheduleTask(in: TimeAmount(core.options.realtime.hold)) {
        if self.release(id, feed) { self.answerHeld("reconnect", context) }
      }
      held = (id, feed, request, fault, timeout)
    }
  }

  /// Releases the held poll; false if something new has just answered it.
  private func release(_ id: UInt64, _ feed: FeedKey) -> Bool {
    core.update { $0.realtime.release(id, of: feed) }
  }

  private func answerHeld(_ message: String, _ context: ChannelHandlerContext) {
    guard let held else { return }
    self.held = nil
    held.timeout.cancel()
    deliver(.message(message), to: held.request, held.fault, context)
  }

  private func deliver(
    _ answer: Answer, to request: Request, _ fault: Fault, _ context: ChannelHandlerContext
  ) {
    let answer = answer.encoded(for: request, offersGzip: core.options.offersGzip, playing: fault)
    let seconds = core.update { $0.clock.now.secondsSince1970 }
    let delivery = Delivery(
      answer: answer, date: DateText.http(secondsSince1970: seconds),
      isChunked: core.options.usesChunkedEncoding,
      keepsAlive: request.keepsAlive && !answer.closesConnection)
    play(delivery.steps(playing: fault)[...], context)
  }

  private func play(_ steps: ArraySlice<Delivery.Step>, _ context: ChannelHandlerContext) {
    var steps = steps
    guard context.channel.isActive else { return }
    while let step = steps.popFirst() {
      switch step {
      case .send(let bytes): context.write(wrapOutboundOut(bytes), promise: nil)
      case .wait(let pause):
        context.flush()
        let rest = steps
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { self.play(rest, context) }
        return
      case .hold:
        context.flush()
        let bound = NIOLoopBound((self, steps, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        core.update { state in
          state.keepAnswer {
            loop.execute {
              let (handler, rest, context) = bound.value
              handler.play(rest, context)
            }
          }
        }
        return
      case .close:
        let sent = context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated()
        return sent.whenComplete { _ in context.close(promise: nil) }
      case .reset: return reset(context)
      case .stall: return context.flush()
      }
    }
    context.flush()
    isBusy = false
    if !queue.isEmpty { return begin(queue.removeFirst(), context) }
    guard let pause = core.options.keepAlive else { return }
    idle = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) {
      context.close(promise: nil)
    }
  }

  /// Closes with a linger time of 0, which makes the kernel send RST (socket(7), SO_LINGER).
  private func reset(_ context: ChannelHandlerContext) {
    context.flush()
    let linger = linger(l_onoff: 1, l_linger: 0)
    (context.channel as? any SocketOptionProvider)?.setSoLinger(linger).whenComplete { _ in }
    context.close(promise: nil)
  }
}
