import BoxEvents

/// The files of a configuration put together: tables key by key, streams one after the other. Each
/// value still knows where it stands.
struct ConfigurationSource {
  typealias Location = ConfigurationError.Location
  typealias Problem = ConfigurationError.Problem

  struct Setting {
    var node: TOMLNode
    var location: Location
  }

  /// One table: its settings, and its own location.
  struct Table {
    var name: String
    var location: Location
    var settings: [String: Setting] = [:]
  }

  private(set) var tables: [String: Table] = [:]
  private(set) var streams: [Table] = []
  private(set) var problems: [(location: Location, problem: Problem)] = []
  let mainFile: String

  init(_ files: [ConfigurationFile]) {
    mainFile = files.first?.path ?? ""
    for file in files { add(file) }
  }

  /// A table, empty if no file has it.
  func table(_ name: String) -> Table {
    tables[name] ?? Table(name: name, location: Location(file: mainFile))
  }

  private mutating func add(_ file: ConfigurationFile) {
    let root: [String: TOMLNode]
    do {
      root = try TOMLNode.parse(file)
    } catch {
      for problem in error.problems { problems.append((Location(file: file.path), problem)) }
      return
    }
    let lines = TOMLKeyLines(file.text)
    for (name, node) in root {
      let location = Location(file: file.path, line: lines.line(of: [name]))
      guard ConfigurationKey.tables.contains(where: { $0.name == name }) else {
        report(unknown: name, node, location)
        continue
      }
      switch (name, node) {
      case ("stream", .array(let elements)): addStreams(elements, file.path, lines)
      case ("stream", _):
        report(location, "[stream] has one pair of brackets", "write [[stream]]: there can be many")
      case (_, .table(let members)):
        let read = table(name, members, [name], location, lines)
        tables[name, default: Table(name: name, location: location)].settings.merge(read) { _, new in new }
      case (_, .array):
        report(location, "[[\(name)]] has two pairs of brackets", "write [\(name)]: there is one")
      default: report(location, "\(name) is \(node.shown)", "\(name) is a table: write [\(name)]")
      }
    }
  }

  private mutating func addStreams(_ elements: [TOMLNode], _ file: String, _ lines: TOMLKeyLines) {
    for (index, element) in elements.enumerated() {
      let path = ["stream", String(index)]
      let location = Location(file: file, line: lines.line(of: path))
      guard case .table(let members) = element else {
        report(location, "stream holds \(element.shown)", "each stream is a table: write [[stream]]")
        continue
      }
      let settings = table("stream", members, path, location, lines)
      streams.append(Table(name: "stream", location: location, settings: settings))
    }
  }

  /// The known keys of one table; the others are reported.
  private mutating func table(
    _ name: String, _ members: [String: TOMLNode], _ path: [String], _ location: Location,
    _ lines: TOMLKeyLines
  ) -> [String: Setting] {
    let known = ConfigurationKey.keys(of: name)
    var settings: [String: Setting] = [:]
    for (key, node) in members {
      let location = Location(file: location.file, line: lines.line(of: path + [key]))
      if known.contains(key) {
        settings[key] = Setting(node: node, location: location)
      } else if let file = ConfigurationKey.secretKeys[key] {
        report(
          location, "\(key) in [\(name)]: secrets don't belong in this file",
          "store it in a file of its own and name that with \(file), or give the unit the credential "
            + SecretFile.Kind.allCases.first { $0.key == file }.map { "\"\($0.rawValue)\"" }.or("of its name")
        )
      } else {
        report(unknown: key, in: name, location)
      }
    }
    return settings
  }
}

extension ConfigurationSource {
  private mutating func report(_ location: Location, _ message: String, _ hint: String) {
    problems.append((location, Problem(at: location, message, hint: hint)))
  }

  private mutating func report(unknown key: String, in table: String, _ location: Location) {
    let known = ConfigurationKey.keys(of: table)
    let home = ConfigurationKey.tables.first { $0.keys.contains(key) }?.name
    let hint =
      if let home {
        "\(key) is a key of \(Self.header(home))"
      } else if let nearest = ConfigurationKey.nearest(to: key, among: known) {
        "did you mean \"\(nearest)\"?"
      } else {
        "keys of \(Self.header(table)): \(known.joined(separator: ", "))"
      }
    let name = PlainText.escaped(String(key.prefix(80)))
    report(location, "unknown key \"\(name)\" in \(Self.header(table))", hint)
  }

  /// At the top of a file: a table no one knows, or a key that has lost its table.
  private mutating func report(unknown name: String, _ node: TOMLNode, _ location: Location) {
    let tables = ConfigurationKey.tables.map(\.name)
    let shown = PlainText.escaped(String(name.prefix(80)))
    if case .table = node {
      let hint = ConfigurationKey.nearest(to: name, among: tables).map { "did you mean \(Self.header($0))?" }
      report(
        location, "unknown table [\(shown)]",
        hint ?? "the tables are \(tables.map(Self.header).joined(separator: ", "))")
    } else {
      let home = ConfigurationKey.tables.first { $0.keys.contains(name) }?.name
      let hint = home.map { "\(shown) is a key of \(Self.header($0)): put it below that line" }
      report(
        location, "key \"\(shown)\" stands outside of any table",
        hint ?? "the tables are \(tables.map(Self.header).joined(separator: ", "))")
    }
  }

  static func header(_ table: String) -> String {
    table == "stream" ? "[[stream]]" : "[\(table)]"
  }
}

extension Optional where Wrapped == String {
  fileprivate func or(_ other: String) -> String { self ?? other }
}
