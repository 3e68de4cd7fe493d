import BoxEvents

/// What must hold of any bytes taken for one of Box's smaller answers, or shown to people.
struct AnswersCheck {
  private(set) var violations: [String] = []

  init(_ input: [UInt8]) {
    checkServer(input)
    checkReply(input)
    checkDocument(input)
    let text = String(decoding: input, as: UTF8.self)
    checkText(text)
    checkPosition(text)
  }

  private mutating func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { violations.append(message()) }
  }

  private mutating func checkServer(_ input: [UInt8]) {
    guard let server = try? RealtimeServer(parsing: input) else { return }
    require(.seconds(60) ... .seconds(3600) ~= server.timeToLive, "lives \(server.timeToLive)")
    require(1...1000 ~= server.maximumPolls, "\(server.maximumPolls) polls")
    require(.seconds(1) ... .seconds(1200) ~= server.retryTimeout, "waits \(server.retryTimeout)")
    require(!server.url.reveal().isEmpty, "an empty URL")
  }

  private mutating func checkReply(_ input: [UInt8]) {
    guard case .unknown(let what) = RealtimeReply(parsing: input) else { return }
    require(!what.isEmpty && what.count < 200, "a reply without words, or with too many")
  }

  private mutating func checkDocument(_ input: [UInt8]) {
    require(Disagreement.kinds(of: input) != nil, "Foundation disagrees about what is JSON")
    guard let document = JSONDocument(input) else { return }
    for element in document.elements + document["entries"].elements {
      _ = element.text
      if let number = element["ttl"].integer(in: 1...60) { require(1...60 ~= number, "\(number) minutes") }
    }
  }

  /// Made plain, text has no characters that command or deceive, and stays as it is when made plain again.
  private mutating func checkText(_ text: String) {
    let plain = PlainText.escaped(text)
    require(plain.unicodeScalars.allSatisfy { !Self.isUnsafe($0) }, "an unsafe character is left")
    require(PlainText.escaped(plain) == plain, "not plain at once")
    let short = PlainText.escaped(text, limit: 20)
    require(short.utf8.count <= 20 + "…".utf8.count, "longer than its limit")
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: scalar.properties.isBidiControl
    }
  }

  private mutating func checkPosition(_ text: String) {
    guard let position = ReadPosition(text) else { return }
    require(ReadPosition(position.description) == position, "another position when read again: \(position)")
    if case .at(let at) = position {
      require(at.digits == text && !at.exceeds(at), "a position that changes: \(at)")
    }
  }
}
