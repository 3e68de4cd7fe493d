import FoundationEssentials

/// An independent word on what is valid JSON: Foundation's parser, made to look at every value.
package enum JSONValidator: Decodable {
  case object([String: JSONValidator])
  case array([JSONValidator])
  case string(String)
  case number(Double)
  case bool(Bool)
  case null

  /// Whether Foundation accepts the text as one JSON value.
  package static func accepts(_ text: some Sequence<UInt8>) -> Bool { read(text) != nil }

  package static func read(_ text: some Sequence<UInt8>) -> JSONValidator? {
    try? JSONDecoder().decode(JSONValidator.self, from: Data(text))
  }

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  package init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: Key.self) {
      var members: [String: JSONValidator] = [:]
      for key in container.allKeys {
        members[key.stringValue] = try container.decode(JSONValidator.self, forKey: key)
      }
      self = .object(members)
    } else if var container = try? decoder.unkeyedContainer() {
      var elements: [JSONValidator] = []
      while !container.isAtEnd { elements.append(try container.decode(JSONValidator.self)) }
      self = .array(elements)
    } else {
      self = try Self.scalar(try decoder.singleValueContainer())
    }
  }

  private static func scalar(_ container: any SingleValueDecodingContainer) throws -> JSONValidator {
    if container.decodeNil() { return .null }
    if let bool = try? container.decode(Bool.self) { return .bool(bool) }
    if let string = try? container.decode(String.self) { return .string(string) }
    return .number(try container.decode(Double.self))
  }
}
