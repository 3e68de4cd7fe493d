import BoxEvents

/// What must hold of any bytes taken for one of Box's smaller answers, or shown to people.
struct AnswersCheck {
  private(set) var violations: [String] = []

  init(_ input: [UInt8]) {
    judgeServer(input)
    judgeReply(input)
    judgeDocument(input)
    let text = String(decoding: input, as: UTF8.self)
    judgeText(text)
    judgePosition(text)
  }

  private mutating func demand(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { violations.append(message()) }
  }

  private mutating func judgeServer(_ input: [UInt8]) {
    guard let server = try? RealtimeServer(parsing: input) else { return }
    demand(.seconds(60) ... .seconds(3600) ~= server.timeToLive, "lives \(server.timeToLive)")
    demand(1...1000 ~= server.maximumPolls, "\(server.maximumPolls) polls")
    demand(.seconds(1) ... .seconds(1200) ~= server.retryTimeout, "waits \(server.retryTimeout)")
    demand(!server.url.reveal().isEmpty, "an empty URL")
  }

  private mutating func judgeReply(_ input: [UInt8]) {
    guard case .unknown(let what) = RealtimeReply(parsing: input) else { return }
    demand(!what.isEmpty && what.count < 200, "a reply without words, or with too many")
  }

  private mutating func judgeDocument(_ input: [UInt8]) {
    demand(Disagreement.kinds(of: input) != nil, "Foundation disagrees about what is JSON")
    guard let document = JSONDocument(input) else { return }
    for element in document.elements + document["entries"].elements {
      _ = element.text
      if let number = element["ttl"].integer(in: 1...60) { demand(1...60 ~= number, "\(number) minutes") }
    }
  }

  /// Made plain, text has no characters that command or deceive, and stays as it is when made plain again.
  private mutating func judgeText(_ text: String) {
    let plain = PlainText.escaped(text)
    demand(plain.unicodeScalars.allSatisfy { !Self.isUnsafe($0) }, "an unsafe character is left")
    demand(PlainText.escaped(plain) == plain, "not plain at once")
    let short = PlainText.escaped(text, limit: 20)
    demand(short.utf8.count <= 20 + "…".utf8.count, "longer than its limit")
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: scalar.properties.isBidiControl
    }
  }

  private mutating func judgePosition(_ text: String) {
    guard let position = ReadPosition(text) else { return }
    demand(ReadPosition(position.description) == position, "another position when read again: \(position)")
    if case .at(let at) = position {
      demand(at.digits == text && !at.exceeds(at), "a position that changes: \(at)")
    }
  }
}
