/// Faults and rates as command lines and control requests write them.
extension Fault {
  /// Reads `none`, `503`, `429:2` (Retry-After in seconds), `reset`, `lose-answer`, `reset-in-body`,
  /// `truncate`, `truncate-chunks`, `truncate-json`, `stall`, `stall-in-body`, `html`, `empty`,
  /// `expire-token`, `broken-gzip`, `truncated-gzip`, `message:TEXT`, `delay:2s`, `delay:500ms:503`,
  /// `pause:1s`, `drip:100:10ms`.
  package init(_ text: String) throws(SimulatorError) {
    guard let fault = Self.parsed(text) else {
      throw SimulatorError(
        .badText, "“\(text)” is no fault",
        hint: "Write for example 503, 429:2, reset, truncate, stall, html, delay:2s or drip:100:10ms.")
    }
    self = fault
  }

  private static let names: [String: Fault] = [
    "none": .none, "reset": .reset, "lose-answer": .loseAnswer, "reset-in-body": .resetInBody,
    "truncate": .truncate, "truncate-chunks": .truncateChunks, "truncate-json": .truncateJSON,
    "stall": .stall, "stall-in-body": .stallInBody, "html": .html, "empty": .body(""),
    "expire-token": .expireToken, "broken-gzip": .brokenGzip, "truncated-gzip": .truncatedGzip,
  ]

  private static func parsed(_ text: String) -> Fault? {
    if let fault = names[text] { return fault }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard let name = parts.first else { return nil }
    let rest = parts.count > 1 ? parts[1] : nil
    if let status = Int(name), (200...599).contains(status) {
      return .status(status, headers: rest.map { ["Retry-After": $0] } ?? [:])
    }
    switch (name, rest) {
    case ("message", let rest?): return .message(rest)
    case ("pause", let rest?): return duration(rest).map { .pausedBody($0) }
    case ("delay", let rest?): return delayed(rest)
    case ("drip", let rest?): return drip(rest)
    default: return nil
    }
  }

  private static func delayed(_ text: String) -> Fault? {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard let pause = parts.first.flatMap(duration) else { return nil }
    guard parts.count > 1 else { return .delayed(pause) }
    return parsed(parts[1]).map { .delayed(pause, then: $0) }
  }

  private static func drip(_ text: String) -> Fault? {
    let parts = text.split(separator: ":").map(String.init)
    guard parts.count == 2, let bytes = Int(parts[0]), bytes > 0, let pause = duration(parts[1]) else {
      return nil
    }
    return .drip(bytes: bytes, every: pause)
  }

  private static func duration(_ text: String) -> Duration? {
    if text.hasSuffix("ms") { return Int64(text.dropLast(2)).map { .milliseconds($0) } }
    if text.hasSuffix("s") { return Int64(text.dropLast()).map { .seconds($0) } }
    return nil
  }
}
