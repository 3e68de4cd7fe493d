/// On which line each key of a TOML document stands, which the parser doesn't tell.
///
/// A scan of statements: headers, keys, and values only as far as needed to find where they end.
/// It is for documents the parser has found valid; in others it finds something, and ends.
struct TOMLKeyLines {
  private var lines: [[String]: Int] = [:]

  /// The line of a key, from 1: of the longest known beginning of its path. An element of an array
  /// of tables has its number as a part of the path: `["stream", "0", "name"]`.
  func line(of path: [String]) -> Int? {
    var path = path[...]
    while !path.isEmpty {
      if let line = lines[Array(path)] { return line }
      path = path.dropLast()
    }
    return nil
  }

  init(_ text: String) {
    var scanner = Scanner(bytes: Array(text.utf8))
    var table: [String] = []
    var elements: [[String]: Int] = [:]
    while let start = scanner.nextStatement() {
      switch start {
      case .header(let path, let isArray):
        table = path
        if isArray {
          let index = elements[path, default: 0]
          elements[path] = index + 1
          table.append(String(index))
        }
        note(table, scanner.statementLine)
      case .key(let path):
        note(table + path, scanner.statementLine)
      }
    }
  }

  private mutating func note(_ path: [String], _ line: Int) {
    for count in 1...max(path.count, 1) where lines[Array(path.prefix(count))] == nil {
      lines[Array(path.prefix(count))] = line
    }
  }
}

extension TOMLKeyLines {
  private enum Statement {
    case header([String], isArray: Bool)
    case key([String])
  }

  private struct Scanner {
    let bytes: [UInt8]
    var index = 0
    var line = 1
    var statementLine = 1

    /// The next header or key; for a key, its value is skipped.
    mutating func nextStatement() -> Statement? {
      skipBlank()
      guard index < bytes.count else { return nil }
      statementLine = line
      guard peek() == UInt8(ascii: "[") else {
        let path = keyPath(until: UInt8(ascii: "="))
        skipValue()
        return .key(path)
      }
      advance()
      let isArray = peek() == UInt8(ascii: "[")
      if isArray { advance() }
      let path = keyPath(until: UInt8(ascii: "]"))
      skipLine()
      return .header(path, isArray: isArray)
    }

    private func peek(_ offset: Int = 0) -> UInt8 {
      index + offset < bytes.count ? bytes[index + offset] : 0
    }

    private mutating func advance(_ count: Int = 1) {
      for _ in 0..<count where index < bytes.count {
        if bytes[index] == UInt8(ascii: "\n") { line += 1 }
        index += 1
      }
    }

    private mutating func skipLine() {
      while index < bytes.count, peek() != UInt8(ascii: "\n") { advance() }
    }

    private mutating func skipBlank() {
      while index < bytes.count {
        if peek() == UInt8(ascii: "#") { skipLine() }
        guard peek() <= 0x20 else { return }
        advance()
      }
    }

    /// Bare and quoted parts with dots between, up to and including the byte that ends them.
    private mutating func keyPath(until end: UInt8) -> [String] {
      var path: [String] = []
      var part: [UInt8] = []
      while index < bytes.count, peek() != end, peek() != UInt8(ascii: "\n") {
        let byte = peek()
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
          part += quoted(byte)
          continue
        }
        if byte == UInt8(ascii: ".") {
          path.append(String(decoding: part, as: UTF8.self))
          part = []
        } else if byte > 0x20 {
          part.append(byte)
        }
        advance()
      }
      if peek() == end { advance() }
      return path + [String(decoding: part, as: UTF8.self)]
    }

    /// The contents of a string on one line, escapes as they stand.
    private mutating func quoted(_ quote: UInt8) -> ArraySlice<UInt8> {
      advance()
      let start = index
      while index < bytes.count, peek() != quote, peek() != UInt8(ascii: "\n") {
        advance(peek() == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") ? 2 : 1)
      }
      let contents = bytes[start..<index]
      if peek() == quote { advance() }
      return contents
    }

    /// To the end of the line on which the value ends.
    private mutating func skipValue() {
      var depth = 0
      while index < bytes.count {
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString(peek())
        case UInt8(ascii: "#"): skipLine()
        case UInt8(ascii: "["), UInt8(ascii: "{"):
          depth += 1
          advance()
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
          depth -= 1
          advance()
        case UInt8(ascii: "\n"):
          advance()
          if depth <= 0 { return }
        default: advance()
        }
      }
    }

    private mutating func skipString(_ quote: UInt8) {
      guard peek(1) == quote, peek(2) == quote else {
        _ = quoted(quote)
        return
      }
      advance(3)
      while index < bytes.count, !(peek() == quote && peek(1) == quote && peek(2) == quote) {
        advance(peek() == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") ? 2 : 1)
      }
      // One or two quotes may stand directly before the closing three.
      while peek() == quote { advance() }
    }
  }
}
