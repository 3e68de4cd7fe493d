import NIOCore

/// How an answer is sent, step by step: every fault of the transport is a sequence of these steps.
struct Delivery {
  enum Step {
    case send(ByteBuffer)
    case wait(Duration)
    /// Waits for ``SimulatorState/releaseAnswers()``.
    case hold
    /// Ends the connection in order.
    case close
    /// Ends the connection with a TCP reset.
    case reset
    /// Keeps the connection and sends nothing more.
    case stall
  }

  /// With its encoded body; see ``Answer/encoded(for:offersGzip:playing:)``.
  let answer: Answer
  /// The `Date` header.
  let date: String
  var isChunked: Bool
  /// Whether client and server leave the connection open.
  let keepsAlive: Bool

  func steps(playing fault: Fault) -> [Step] {
    let middle = answer.body.readableBytes / 2
    switch fault {
    case .none, .status, .body, .html, .expireToken, .truncateJSON, .brokenGzip, .truncatedGzip:
      return complete
    case .held: return [.hold] + complete
    case .delayed(let pause, let then): return [.wait(pause)] + steps(playing: then)
    case .pausedBody(let pause): return split([middle], pause: pause)
    case .reset, .loseAnswer: return [.reset]
    // The pause lets the client see the half before the reset takes it away.
    case .resetInBody: return begun + [.wait(.milliseconds(5)), .reset]
    case .truncate: return begun + [.close]
    case .truncateChunks:
      var chunked = self
      chunked.isChunked = true
      return chunked.begun + [.close]
    case .stall: return [.stall]
    case .stallInBody: return begun + [.stall]
    case .drip(let size, let pause):
      return split(Array(stride(from: size, to: answer.body.readableBytes, by: max(1, size))), pause: pause)
    }
  }

  /// Everything, in order.
  private var complete: [Step] { [.send(head)] + body(answer.body) + ending }

  /// The head and half of the body.
  private var begun: [Step] { [.send(head)] + body(answer.body.firstHalf) }

  /// Everything, with a pause at each of these offsets of the body.
  private func split(_ offsets: [Int], pause: Duration) -> [Step] {
    var steps: [Step] = [.send(head)]
    var rest = answer.body
    var sent = 0
    for offset in offsets {
      guard let part = rest.readSlice(length: offset - sent) else { break }
      steps += body(part) + [.wait(pause)]
      sent = offset
    }
    return steps + body(rest) + ending
  }

  private var head: ByteBuffer {
    var text = "HTTP/1.1 \(answer.status) \(Answer.reasonPhrase(answer.status))\r\nDate: \(date)\r\n"
    for (name, value) in answer.headers { text += "\(name): \(value)\r\n" }
    text += isChunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: \(answer.body.readableBytes)\r\n"
    if !keepsAlive { text += "Connection: close\r\n" }
    return ByteBuffer(string: text + "\r\n")
  }

  private func body(_ bytes: ByteBuffer) -> [Step] {
    guard bytes.readableBytes > 0 else { return [] }
    guard isChunked else { return [.send(bytes)] }
    let size = ByteBuffer(string: String(bytes.readableBytes, radix: 16) + "\r\n")
    return [.send(size), .send(bytes), .send(ByteBuffer(string: "\r\n"))]
  }

  private var ending: [Step] {
    (isChunked ? [.send(ByteBuffer(string: "0\r\n\r\n"))] : []) + (keepsAlive ? [] : [.close])
  }
}
