import BoxEvents
import TOMLKit

/// A value of a TOML document.
enum TOMLNode: Hashable {
  case string(String)
  case integer(Int64)
  case boolean(Bool)
  case array([TOMLNode])
  case table([String: TOMLNode])
  /// A float, a date or a time, which no key takes.
  case other(String)

  /// The root of a document.
  static func parse(
    _ file: ConfigurationFile, _ lines: TOMLKeyLines
  ) throws(TOMLSyntaxError) -> [String: TOMLNode] {
    if let refused = lines.refused {
      throw TOMLSyntaxError(
        location: .init(file: file.path, line: refused.line, column: 1), reason: refused.reason,
        hint: refused.hint)
    }
    do {
      let table = try TOMLTable(string: file.text)
      defer { table.clear() }
      return members(table)
    } catch let error as TOMLParseError {
      let begin = error.source.begin
      let (reason, hint) = explained(error.description, lines)
      throw TOMLSyntaxError(
        location: .init(file: file.path, line: begin.line, column: begin.column), reason: reason, hint: hint)
    } catch {
      throw TOMLSyntaxError(
        location: .init(file: file.path), reason: "it can't be parsed", hint: "See https://toml.io.")
    }
  }

  /// The parser's reason, in the words of who wrote the file where those are others, and what to do.
  private static func explained(_ reason: String, _ lines: TOMLKeyLines) -> (reason: String, hint: String) {
    let quoted = reason.split(separator: "'")
    if reason.contains("cannot redefine existing "), quoted.count > 1 {
      let name = PlainText.escaped(String(quoted[1]))
      let line = lines.line(of: name.split(separator: ".").map(String.init)).map { ", in line \($0)" } ?? ""
      return reason.contains("existing table '")
        ? (reason, "[\(name)] is there already\(line): put the keys below it.")
        : (reason, "\(name) is there already\(line): keep one of the two.")
    }
    // The end of the line is such a character.
    if reason.contains("control characters other than TAB")
      || reason.contains("string: encountered end-of-file")
    {
      return (
        "a string isn't closed at the end of its line, or contains a control character",
        "Write the quotation mark at the end of the string."
      )
    }
    return (reason, "Correct the line. Strings are written in double quotes; see https://toml.io.")
  }

  fileprivate static func members(_ table: TOMLTable) -> [String: TOMLNode] {
    table.keys.reduce(into: [:]) { $0[$1] = table[$1].map { TOMLNode($0) } }
  }

  private init(_ value: any TOMLValueConvertible) {
    let node: TOMLNode? =
      switch value.type {
      case .string: value.string.map(TOMLNode.string)
      case .int: value.int.map { .integer(Int64($0)) }
      case .bool: value.bool.map(TOMLNode.boolean)
      case .array: value.array.map { .array($0.map(TOMLNode.init)) }
      case .table: value.table.map { .table(Self.members($0)) }
      case .double, .date, .time, .dateTime: nil
      }
    self = node ?? .other("a \(value.type)")
  }

  /// As a message shows it: what was given, one line, not too long.
  var shown: String {
    switch self {
    case .string(let text):
      "\"\(PlainText.escaped(String(text.prefix(80))))\(text.count > 80 ? "…" : "")\""
    case .integer(let number): "\(number)"
    case .boolean(let value): "\(value)"
    case .array: "an array"
    case .table: "a table"
    case .other(let kind): kind
    }
  }
}

/// Where and why a file is not valid TOML.
struct TOMLSyntaxError: Error {
  var location: ConfigurationError.Location
  var reason: String
  var hint: String

  var problem: ConfigurationError.Problem { .init("\(location): not valid TOML: \(reason)", hint: hint) }
}

/// The line of each key of a valid TOML document, which the parser doesn't report.
///
/// Every header and every key with its value is a document by itself, so that the parser finds the end of each: a value
/// that goes on in the next line is not valid yet.
struct TOMLKeyLines {
  private var lines: [[String]: Int] = [:]
  /// A line that the parser must not see: it would trap, or take minutes. The scan ends there.
  private(set) var refused: (line: Int, reason: String, hint: String)?

  /// The search for the end of a value stops here, and with it the scan: each line parses the value again.
  private static let maximumValueLines = 1_000

  init(_ text: String) {
    var table: [String] = []
    var elements: [[String]: Int] = [:]
    var (statement, first) = ("", 1)
    let byteOrderMark = text.utf8.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let lines = text.utf8.dropFirst(byteOrderMark).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (line, bytes) in zip(1..., lines) where Self.dots(bytes) > Self.maximumDots {
      refused = (line, "a key has too many parts", "Write the key in the table that it belongs to.")
      return
    }
    for (line, bytes) in zip(1..., lines) where line - first < Self.maximumValueLines {
      if statement.isEmpty {
        first = line
        if Self.isInvalidHeader(bytes) {
          let reason = "a table's name is missing or not a plain word"
          refused = (line, reason, "Write the name in brackets, such as [auth].")
          return
        }
      }
      statement += "\(Substring(bytes))\n"
      guard let members = try? TOMLTable(string: statement) else { continue }
      // The library frees nothing by itself.
      defer { members.clear() }
      let isHeader = bytes.first { $0 > 0x20 } == UInt8(ascii: "[") && first == line
      let escape = Self.escapesOfZero.first { statement.contains($0) }
      if let escape, let key = members.keys.first {
        refused = (first, "\(PlainText.escaped(key)) contains \(escape)", "Remove \(escape) from the line.")
        return
      }
      statement = ""
      guard isHeader else {
        note(TOMLNode.members(members), in: table, line: first)
        continue
      }
      table = Self.header(TOMLNode.members(members), &elements)
      note(table, line)
    }
  }

  /// The line of a key, from 1: of the longest known beginning of its path. An element of an array of tables has its
  /// number as a part of the path: `["stream", "0", "name"]`.
  func line(of path: [String]) -> Int? {
    path.indices.reversed().lazy.compactMap { lines[Array(path[...$0])] }.first
  }

  /// The parser would return a string only up to that character, and a key that ends there.
  private static let escapesOfZero = ["\\u0000", "\\U00000000"]

  /// In one line, outside quotation marks. Real keys have one or two; the parser works on each part of a key as often as
  /// there are parts, and recursively.
  private static let maximumDots = 64

  private static func dots(_ line: Substring.UTF8View) -> Int {
    var quote: UInt8?
    var count = 0
    for byte in line {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        if quote == nil { quote = byte } else if quote == byte { quote = nil }
      case UInt8(ascii: "#") where quote == nil: return count
      case UInt8(ascii: ".") where quote == nil: count += 1
      default: break
      }
    }
    return count
  }

  /// Whether a line begins as a header and goes on with neither a name nor a closing bracket.
  private static func isInvalidHeader(_ line: Substring.UTF8View) -> Bool {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    var rest = line.drop(while: isBlank)
    guard rest.first == UInt8(ascii: "[") else { return false }
    rest = rest.dropFirst()
    if rest.first == UInt8(ascii: "[") { rest = rest.dropFirst() }
    guard let next = rest.drop(while: isBlank).first.map(Unicode.Scalar.init) else { return true }
    return !(next.isASCII && next.properties.isAlphabetic)
      && !"0123456789_-\"']".unicodeScalars.contains(next)
  }

  /// The path of a header's table. One in an array of tables is counted in `elements`.
  private static func header(_ members: [String: TOMLNode], _ elements: inout [[String]: Int]) -> [String] {
    var path: [String] = []
    var node = TOMLNode.table(members)
    while case .table(let members) = node, let (key, inner) = members.first {
      path.append(key)
      node = inner
    }
    guard case .array = node else { return path }
    let index = elements[path, default: 0]
    elements[path] = index + 1
    return path + [String(index)]
  }

  private mutating func note(_ members: [String: TOMLNode], in table: [String], line: Int) {
    for (key, node) in members {
      note(table + [key], line)
      if case .table(let inner) = node { note(inner, in: table + [key], line: line) }
    }
  }

  private mutating func note(_ path: [String], _ line: Int) {
    for count in 1...max(path.count, 1) where lines[Array(path.prefix(count))] == nil {
      lines[Array(path.prefix(count))] = line
    }
  }
}
