import BoxEvents

extension Configuration {
  /// Reads the configuration file, and `*.toml` in the folder named like it with `.d`.
  ///
  /// - Parameter environment: where systemd names the directories it made; see systemd.exec(5), "RuntimeDirectory=".
  /// - Throws: all that is wrong, each with file and line, and what to do.
  package static func load(
    _ path: String, environment: [String: String]
  ) throws(ConfigurationError) -> Configuration {
    let environment = environment.merging(instanceEnvironment(of: path)) { given, _ in given }
    var configuration = try Configuration(files: ConfigurationFile.readAll(path), environment: environment)
    configuration.unit = unit(of: path)
    return configuration
  }

  /// Reads a configuration from the texts of its files, the main file first.
  /// - Throws: all problems, in the order of the files.
  init(files: [ConfigurationFile], environment: [String: String]) throws(ConfigurationError) {
    var reader = ConfigurationReader(source: ConfigurationSource(files))
    reader.readTables(environment)
    if reader.source.isComplete { reader.checkTogether() }
    let problems = reader.source.problems
    guard problems.isEmpty else {
      throw ConfigurationError(problems.sorted { $0.location < $1.location }.map(\.problem))
    }
    self = reader.configuration
  }
}

/// Sets a configuration key by key from what the files hold, and collects what is wrong with them instead of stopping.
struct ConfigurationReader {
  var source: ConfigurationSource
  var configuration = Configuration()

  mutating func readTables(_ environment: [String: String]) {
    for table in ConfigurationKeys.tables {
      for key in table.keys { key.setDefault(environment, &configuration) }
      for written in table.isArray ? source.streams : [source.table(table.name)] {
        if table.isArray { configuration.streams.append(Configuration.Stream(name: "")) }
        if table.isArray, written.settings["name"] == nil {
          source.report(
            written.location, "a \(table.header) without a name", hint: "Add a line: name = \"default\".")
        }
        read(table, written)
      }
    }
  }

  private mutating func read(_ table: ConfigurationTable, _ written: ConfigurationSource.Table) {
    for key in table.keys {
      guard let setting = written.settings[key.name] else { continue }
      let name = "\(key.name) in \(table.header)"
      if let hint = key.userHint, case .string(let text) = setting.node, text.contains("@") {
        source.report(setting.location, "\(name) holds a user or password", hint: hint)
      } else if !key.set(setting.node, &configuration) {
        // A secret that was typed in place of its file's path.
        let shown = key.name.hasSuffix("_file") ? "not an absolute path" : setting.node.shown
        source.report(setting.location, "\(name) is \(shown)", hint: "Give \(key.allowed).")
      }
    }
  }
}

/// Why a configuration can't be used: everything that is wrong with it, not only the first problem.
package struct ConfigurationError: Error, Hashable, Sendable {
  /// At least one, by file and line.
  package var problems: [Problem]

  init(_ problems: [Problem]) { self.problems = problems }
  init(_ message: String, hint: String?, isDenied: Bool = false) {
    problems = [Problem(message, hint: hint)]
    problems[0].isDenied = isDenied
  }

  /// One thing that is wrong. Never contains a secret.
  package struct Problem: ExplainedError, Hashable, Sendable {
    /// What is wrong, with its location: `/etc/box-eventd/box-eventd.toml:12: unknown key …`.
    package var message: String
    package var hint: String?
    /// This user may not read a file.
    var isDenied = false

    init(_ message: String, hint: String?) {
      self.message = message
      self.hint = hint
    }
  }

  /// A place in the files.
  struct Location: Hashable, Sendable, Comparable, CustomStringConvertible {
    var file: String
    /// From 1; nil for the file as such.
    var line: Int?
    var column: Int?

    var description: String {
      ([file] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":")
    }

    static func < (left: Self, right: Self) -> Bool {
      (left.file, left.line ?? 0) < (right.file, right.line ?? 0)
    }
  }
}

extension ConfigurationError: CustomStringConvertible {
  /// Two lines a problem: what is wrong, and what to do.
  package var description: String {
    problems.map { $0.message + ($0.hint.map { "\n  \($0)" } ?? "") }.joined(separator: "\n")
  }
}
