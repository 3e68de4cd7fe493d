import BoxEvents

/// The files of a configuration put together: tables key by key, streams one after the other. Each value keeps its
/// location.
struct ConfigurationSource {
  typealias Location = ConfigurationError.Location

  struct Setting {
    var node: TOMLNode
    var location: Location
  }

  /// One table: its known settings, and its own location.
  struct Table {
    var location: Location
    var settings: [String: Setting] = [:]

    func location(of key: String) -> Location { settings[key]?.location ?? location }
    func isUnset(_ key: String) -> Bool { settings[key].map { $0.node == .string("") } ?? true }
  }

  private var tables: [String: Table] = [:]
  private(set) var streams: [Table] = []
  private(set) var problems: [(location: Location, problem: ConfigurationError.Problem)] = []
  /// Every file is valid TOML: what is missing is missing.
  private(set) var isComplete = true
  let mainFile: String

  init(_ files: [ConfigurationFile]) {
    mainFile = files.first?.path ?? ""
    for file in files { add(file) }
  }

  /// A table, empty if no file has it.
  func table(_ name: String) -> Table { tables[name] ?? Table(location: Location(file: mainFile)) }

  private mutating func add(_ file: ConfigurationFile) {
    let lines = TOMLKeyLines(file.text)
    let root: [String: TOMLNode]
    do {
      root = try TOMLNode.parse(file, lines)
    } catch {
      problems.append((error.location, error.problem))
      isComplete = false
      return
    }
    func location(_ path: [String]) -> Location { Location(file: file.path, line: lines.line(of: path)) }
    for (name, node) in root {
      guard let table = ConfigurationKeys.table(name) else {
        reportUnknown(name, node, location([name]))
        continue
      }
      switch (node, table.isArray) {
      case (.array(let elements), true):
        for (index, element) in elements.enumerated() {
          let path = [name, String(index)]
          guard case .table(let members) = element else {
            report(
              location(path), "\(name) contains \(element.shown)",
              hint: "Write \(table.header) for each \(name).")
            continue
          }
          let settings = settings(table, members, path, location)
          streams.append(Table(location: location(path), settings: settings))
        }
      case (_, true):
        report(
          location([name]), "[\(name)] has one pair of brackets",
          hint: "Write \(table.header): it may occur many times.")
      case (.table(let members), false):
        let read = settings(table, members, [name], location)
        tables[name, default: Table(location: location([name]))].settings.merge(read) { _, new in new }
      case (.array, false):
        report(
          location([name]), "[[\(name)]] has two pairs of brackets",
          hint: "Write \(table.header): it occurs once.")
      case (_, false):
        report(location([name]), "\(name) is \(node.shown)", hint: "Write \(table.header): it is a table.")
      }
    }
  }

  /// The known keys of one table; the others are reported.
  private mutating func settings(
    _ table: ConfigurationTable, _ members: [String: TOMLNode], _ path: [String],
    _ location: ([String]) -> Location
  ) -> [String: Setting] {
    var settings: [String: Setting] = [:]
    for (name, node) in members {
      let location = location(path + [name])
      if table.keyNames.contains(name) {
        settings[name] = Setting(node: node, location: location)
      } else {
        reportUnknown(name, in: table, location)
      }
    }
    return settings
  }
}

// MARK: What is unknown

extension ConfigurationSource {
  mutating func report(_ location: Location, _ message: String, hint: String) {
    problems.append((location, ConfigurationError.Problem("\(location): \(message)", hint: hint)))
  }

  private mutating func reportUnknown(_ name: String, in table: ConfigurationTable, _ location: Location) {
    let keys = ConfigurationKeys.tables.flatMap(\.keys)
    if let key = keys.first(where: { $0.secret?.insteadOf.contains(name) == true }), let secret = key.secret {
      report(
        location, "\(name) in \(table.header): secrets don't belong in this file",
        hint: "Store it in a file of its own and name that with \(key.name), or give the unit the credential "
          + "\"\(secret.kind.rawValue)\".")
      return
    }
    let hint =
      if let home = Self.home(of: name) {
        "Put it below \(home.header), where \(name) is a key."
      } else if let nearest = ConfigurationKey.nearest(to: name, among: table.keyNames) {
        "Perhaps you meant \"\(nearest)\"."
      } else {
        "Keys of \(table.header): \(table.keyNames.joined(separator: ", "))."
      }
    report(location, "unknown key \"\(Self.shown(name))\" in \(table.header)", hint: hint)
  }

  /// At the top of a file: an unknown table, or a key outside of its table.
  private mutating func reportUnknown(_ name: String, _ node: TOMLNode, _ location: Location) {
    let tables = "Tables: \(ConfigurationKeys.tables.map(\.header).joined(separator: ", "))."
    let shown = Self.shown(name)
    if case .table = node {
      let nearest = ConfigurationKey.nearest(to: name, among: ConfigurationKeys.tables.map(\.name))
      let header = nearest.flatMap { ConfigurationKeys.table($0)?.header }
      report(location, "unknown table [\(shown)]", hint: header.map { "Perhaps you meant \($0)." } ?? tables)
    } else {
      let hint = Self.home(of: name).map { "Put it below \($0.header), where \(shown) is a key." }
      report(location, "key \"\(shown)\" outside of any table", hint: hint ?? tables)
    }
  }

  private static func home(of key: String) -> ConfigurationTable? {
    ConfigurationKeys.tables.first { $0.keyNames.contains(key) }
  }

  /// A name as a message shows it: one line, not too long.
  private static func shown(_ name: String) -> String { PlainText.escaped(String(name.prefix(80))) }
}
