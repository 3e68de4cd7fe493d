import NIOCore

/// One way an answer goes wrong.
///
/// Faults that replace the answer (see ``replacement(at:)``) leave the request unprocessed; the others damage
/// the real answer on its way, as the network might.
package indirect enum Fault: Sendable, Hashable {
  /// No fault, as an element of a script.
  case none
  /// This status, with this body or the endpoint's usual one.
  case status(Int, headers: [String: String] = [:], body: String? = nil)
  /// Status 200 with this body.
  case body(String)
  /// Status 200 with a gateway's HTML.
  case html
  /// Revokes the request's token, then answers as to any revoked token.
  case expireToken
  /// Waits before the head, then plays another fault or none.
  case delayed(Duration, then: Fault = .none)
  /// Keeps the answer until ``BoxSimulator/releaseAnswers()``: for what must not depend on the machine's speed.
  case held
  /// Pauses in the middle of the body.
  case pausedBody(Duration)
  /// Resets the connection; the request was not processed.
  case reset
  /// Processes the request and resets the connection instead of answering.
  case loseAnswer
  /// Resets the connection in the middle of the body.
  case resetInBody
  /// Closes the connection in the middle of a body with a content length.
  case truncate
  /// Closes the connection between two chunks of a chunked body.
  case truncateChunks
  /// Half of the JSON, with the content length of that half.
  case truncateJSON
  /// Sends nothing and keeps the connection.
  case stall
  /// Sends half of the body, then nothing, and keeps the connection.
  case stallInBody
  /// Sends the body this many bytes at a time.
  case drip(bytes: Int, every: Duration)
  /// Claims gzip and sends something else.
  case brokenGzip
  /// A gzip stream that ends early, with the content length of what is sent.
  case truncatedGzip

  /// A realtime server's reply with any message.
  package static func message(_ message: String) -> Fault {
    .body(String(buffer: Answer.message(message).body))
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
    default: return nil
    }
  }

  /// The fault without the delays before it.
  var innermost: Fault {
    if case .delayed(_, let fault) = self { fault.innermost } else { self }
  }
}

// MARK: Faults as text

extension Fault {
  /// Reads `none`, `hold`, `503`, `429:2` (Retry-After in seconds), `reset`, `lose-answer`, `reset-in-body`,
  /// `truncate`, `truncate-chunks`, `truncate-json`, `stall`, `stall-in-body`, `html`, `empty`,
  /// `expire-token`, `broken-gzip`, `truncated-gzip`, `message:TEXT`, `delay:2s`, `delay:500ms:503`,
  /// `pause:1s`, `drip:100:10ms`.
  package init(_ text: String) throws(SimulatorError) {
    guard let fault = Self.parsed(text) else {
      throw SimulatorError(
        message: "“\(text)” is not a fault",
        hint: "Write for example 503, 429:2, reset, truncate, stall, html, delay:2s or drip:100:10ms.")
    }
    self = fault
  }

  private static let names: [String: Fault] = [
    "none": .none, "hold": .held, "reset": .reset, "lose-answer": .loseAnswer, "reset-in-body": .resetInBody,
    "truncate": .truncate, "truncate-chunks": .truncateChunks, "truncate-json": .truncateJSON,
    "stall": .stall, "stall-in-body": .stallInBody, "html": .html, "empty": .body(""),
    "expire-token": .expireToken, "broken-gzip": .brokenGzip, "truncated-gzip": .truncatedGzip,
  ]

  private static func parsed(_ text: String) -> Fault? {
    if let fault = names[text] { return fault }
    let (name, rest) = halves(text)
    if let status = Int(name), (200...599).contains(status) {
      return .status(status, headers: rest.map { ["Retry-After": $0] } ?? [:])
    }
    guard let rest else { return nil }
    let (first, second) = halves(rest)
    switch name {
    case "message": return .message(rest)
    case "pause": return duration(rest).map { .pausedBody($0) }
    case "delay":
      guard let pause = duration(first), let then = second.map(parsed) ?? Fault.none else { return nil }
      return .delayed(pause, then: then)
    case "drip":
      guard let bytes = Int(first), bytes > 0, let pause = second.flatMap(duration) else { return nil }
      return .drip(bytes: bytes, every: pause)
    default: return nil
    }
  }

  /// The text before the first colon and after it.
  private static func halves(_ text: String) -> (String, String?) {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    return (parts.first ?? "", parts.dropFirst().first)
  }

  private static func duration(_ text: String) -> Duration? {
    if text.hasSuffix("ms") { return Int64(text.dropLast(2)).map { .milliseconds($0) } }
    if text.hasSuffix("s") { return Int64(text.dropLast()).map { .seconds($0) } }
    return nil
  }
}
