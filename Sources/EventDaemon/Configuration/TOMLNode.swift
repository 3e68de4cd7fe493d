import BoxEvents
import TOMLKit

/// A value of a TOML document.
enum TOMLNode: Hashable {
  case string(String)
  case integer(Int64)
  case boolean(Bool)
  case array([TOMLNode])
  case table([String: TOMLNode])
  /// A float, a date or a time: nothing here is one.
  case other(String)

  /// The root of a document. A syntax error carries line and column.
  static func parse(_ file: ConfigurationFile) throws(ConfigurationError) -> [String: TOMLNode] {
    do {
      return members(try TOMLTable(string: file.text))
    } catch let error as TOMLParseError {
      let location = ConfigurationError.Location(
        file: file.path, line: error.source.begin.line, column: error.source.begin.column)
      let problem = ConfigurationError.Problem(
        at: location, "not valid TOML: \(error.description)",
        hint: "correct the line; strings stand in double quotes, see https://toml.io")
      throw ConfigurationError([problem])
    } catch {
      throw ConfigurationError([.init("\(file.path): not valid TOML", hint: "see https://toml.io")])
    }
  }

  private static func members(_ table: TOMLTable) -> [String: TOMLNode] {
    var members: [String: TOMLNode] = [:]
    for key in table.keys {
      if let value = table[key] { members[key] = TOMLNode(value) }
    }
    return members
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
