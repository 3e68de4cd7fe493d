/// Reads typed values out of settings, and collects what is wrong with them instead of stopping.
struct ConfigurationReader {
  private(set) var problems: [(location: ConfigurationError.Location, problem: ConfigurationError.Problem)]

  init(_ source: ConfigurationSource) {
    problems = source.problems
  }

  /// All problems, in the order of the files.
  func check() throws(ConfigurationError) {
    guard !problems.isEmpty else { return }
    throw ConfigurationError(problems.sorted { $0.location < $1.location }.map(\.problem))
  }

  mutating func report(_ location: ConfigurationError.Location, _ message: String, hint: String) {
    problems.append((location, ConfigurationError.Problem(at: location, message, hint: hint)))
  }

  /// One value, or nil where it isn't set or is wrong.
  /// - Parameter allowed: what the value may be, to follow "give".
  mutating func read<Value>(
    _ table: ConfigurationSource.Table, _ key: String, allowed: String,
    _ convert: (TOMLNode) -> Value?
  ) -> Value? {
    guard let setting = table.settings[key] else { return nil }
    if let value = convert(setting.node) { return value }
    let header = ConfigurationSource.header(table.name)
    report(setting.location, "\(key) in \(header) is \(setting.node.shown)", hint: "give \(allowed)")
    return nil
  }

  /// A string that `convert` understands.
  mutating func text<Value>(
    _ table: ConfigurationSource.Table, _ key: String, allowed: String, _ convert: (String) -> Value?
  ) -> Value? {
    read(table, key, allowed: allowed) { node in
      if case .string(let text) = node { convert(text) } else { nil }
    }
  }

  /// A string that `convert` understands; nil too for the empty string, which stands for "not set".
  mutating func optional<Value>(
    _ table: ConfigurationSource.Table, _ key: String, allowed: String, _ convert: (String) -> Value?
  ) -> Value? {
    let value: Value?? = text(table, key, allowed: allowed + ", or \"\" for none") { text in
      text.isEmpty ? .some(nil) : convert(text).map { .some($0) }
    }
    return value ?? nil
  }

  mutating func size(
    _ table: ConfigurationSource.Table, _ key: String, example: String,
    in range: ClosedRange<ByteCount>, orZero: Bool = false
  ) -> ByteCount? {
    let allowed =
      "a size of \(range.lowerBound) to \(range.upperBound), such as \"\(example)\""
      + (orZero ? ", or \"0\" for no limit" : "")
    return read(table, key, allowed: allowed) { node in
      let value: ByteCount? =
        switch node {
        case .string(let text): ByteCount(text)
        case .integer(let number): number >= 0 ? ByteCount(number) : nil
        case .boolean, .array, .table, .other: nil
        }
      return value.flatMap { range.contains($0) || (orZero && $0.bytes == 0) ? $0 : nil }
    }
  }

  /// A duration of at least a second, or zero for no limit.
  mutating func age(_ table: ConfigurationSource.Table, _ key: String) -> Duration? {
    read(table, key, allowed: "a whole number of s, m, h, d or w, such as \"12h\", or \"0\" for no limit") {
      switch $0 {
      case .string(let text): Duration(configured: text)
      case .integer(let number): number == 0 ? .zero : nil
      case .boolean, .array, .table, .other: nil
      }
    }
  }

  /// An absolute path, without a slash at its end.
  mutating func path(_ table: ConfigurationSource.Table, _ key: String) -> String? {
    text(table, key, allowed: "an absolute path, beginning with /", Self.absolutePath)
  }

  mutating func optionalPath(_ table: ConfigurationSource.Table, _ key: String) -> String? {
    optional(table, key, allowed: "an absolute path, beginning with /", Self.absolutePath)
  }

  static func absolutePath(_ text: String) -> String? {
    guard text.hasPrefix("/"), !text.utf8.contains(0), text.utf8.count < 4_096 else { return nil }
    var path = text[...]
    while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
  }

  /// One word of a list.
  mutating func word<Value: RawRepresentable & CaseIterable>(
    _ table: ConfigurationSource.Table, _ key: String
  ) -> Value? where Value.RawValue == String {
    let words = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    return text(table, key, allowed: "one of \(words)") { Value(rawValue: $0) }
  }
}
