import Glibc
import NIOCore
import NIOPosix

/// One connection: parses requests and plays the replies.
final class ScriptedConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let server: ScriptedServer
  private let script: ScriptedServer.Script
  private let number: Int
  private var received = ""

  init(_ server: ScriptedServer, _ script: @escaping ScriptedServer.Script) {
    self.server = server
    self.script = script
    number = server.opened()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += String(buffer: unwrapInboundIn(data))
    while let request = nextRequest() {
      let index = server.record(request)
      play(script(request, index).steps[...], context.channel)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    server.ended()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func nextRequest() -> RecordedRequest? {
    guard let end = received.firstRange(of: "\r\n\r\n") else { return nil }
    var lines = received[..<end.lowerBound].split(separator: "\r\n").map(String.init)
    let start = lines.removeFirst().split(separator: " ").map(String.init)
    var headers: [String: String] = [:]
    for line in lines {
      guard let colon = line.firstRange(of: ": ") else { continue }
      headers[line[..<colon.lowerBound].lowercased()] = String(line[colon.upperBound...])
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    let rest = received[end.upperBound...]
    guard rest.utf8.count >= length else { return nil }
    let body = String(decoding: Array(rest.utf8.prefix(length)), as: UTF8.self)
    received = String(decoding: Array(rest.utf8.dropFirst(length)), as: UTF8.self)
    return RecordedRequest(
      method: start[0], target: start[1], headers: headers, body: body, connection: number)
  }

  private func play(_ steps: ArraySlice<Reply.Step>, _ channel: any Channel) {
    guard let step = steps.first else { return }
    let rest = steps.dropFirst()
    switch step {
    case .send(let text): channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    case .bytes(let bytes): channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    case .pause(let time):
      let next = NIOLoopBound((self, rest, channel), eventLoop: channel.eventLoop)
      channel.eventLoop.scheduleTask(in: time) {
        let (connection, rest, channel) = next.value
        connection.play(rest, channel)
      }
      return
    case .close: channel.close(promise: nil)
    case .reset:
      (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        .whenComplete { _ in channel.close(promise: nil) }
    case .silence: return
    case .vanish:
      channel.setOption(.autoRead, value: false).whenFailure { _ in channel.close(promise: nil) }
      return
    }
    play(rest, channel)
  }
}
