/// One way an answer goes wrong.
///
/// Faults that replace the answer (a status, a reset before the head, a stall) leave the request
/// unprocessed; the others spoil the real answer on its way, as if the network had done it.
package indirect enum Fault: Sendable, Hashable {
  /// No fault; holds a place in a script.
  case none
  /// This status with the endpoint's usual body for it, or with this one.
  case status(Int, headers: [String: String] = [:], body: String? = nil)
  /// Status 200 with this body.
  case body(String)
  /// Status 200 with a gateway's HTML.
  case html
  /// Revokes the token the request carries, then answers as to any revoked token.
  case expireToken
  /// Waits before the head, then plays another fault or none.
  case delayed(Duration, then: Fault = .none)
  /// Pauses in the middle of the body.
  case pausedBody(Duration)
  /// Resets the connection; the request was not processed.
  case reset
  /// Processes the request and resets the connection instead of answering.
  case loseAnswer
  /// Resets the connection in the middle of the body.
  case resetInBody
  /// Closes the connection in the middle of a body of announced length.
  case truncate
  /// Closes the connection between two chunks of a chunked body.
  case truncateChunks
  /// Half of the JSON, with the right length for half.
  case truncateJSON
  /// Answers nothing and keeps the connection.
  case stall
  /// Sends half of the body, then nothing, and keeps the connection.
  case stallInBody
  /// Sends the body this many bytes at a time.
  case drip(bytes: Int, every: Duration)
  /// Claims gzip and sends something else.
  case brokenGzip
  /// A gzip stream that ends early, with the right length for what is there.
  case truncatedGzip

  /// A realtime server's reply with any message.
  package static func message(_ message: String) -> Fault {
    .body(#"{"version":1,"message":\#(JSONWriter.string(message))}"#)
  }
}

extension Fault {
  /// The answer to give without processing the request; nil if it is processed.
  func replacement(at endpoint: SimulatedEndpoint) -> Answer? {
    switch self {
    case .status(let status, let headers, let body):
      var answer = Answer.failure(status, at: endpoint)
      if let body { answer = .text(body, status: status) }
      answer.headers += headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      return answer
    case .body(let text): return .json(text)
    case .html: return .html("Please sign in to the network")
    case .reset, .stall: return .text("")
    case .delayed(_, let fault): return fault.replacement(at: endpoint)
    case .none, .expireToken, .pausedBody, .loseAnswer, .resetInBody, .truncate, .truncateChunks,
      .truncateJSON, .stallInBody, .drip, .brokenGzip, .truncatedGzip:
      return nil
    }
  }

  /// What happens in the end, any delay before it left out.
  var innermost: Fault {
    if case .delayed(_, let fault) = self { fault.innermost } else { self }
  }
}
