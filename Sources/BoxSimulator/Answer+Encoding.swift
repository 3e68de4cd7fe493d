import NIOCore

extension Answer {
  /// The answer with its body as it goes out: compressed if wanted, or spoiled by a fault of the body.
  func encoded(for request: Request, offersGzip: Bool, playing fault: Fault) -> Answer {
    switch fault.innermost {
    case .brokenGzip: return with(ByteBuffer(string: "this is no gzip stream"), encoding: "gzip")
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
