/// One file of the configuration, read but not yet understood.
package struct ConfigurationFile: Hashable, Sendable {
  /// As it appears in messages.
  package var path: String
  package var text: String

  /// Thousands of streams stay far below it.
  static let maximumSize = 16 << 20

  package init(path: String, text: String) {
    self.path = path
    self.text = text
  }

  /// Reads a file from disk.
  static func read(_ path: String) throws(ConfigurationError) -> ConfigurationFile {
    let contents: FileContents
    do {
      contents = try FileContents(path, maximumSize: maximumSize)
    } catch {
      throw ConfigurationError([.init("\(path): \(error.message)", hint: error.hint)])
    }
    guard !contents.bytes.contains(0), let text = String(validating: contents.bytes, as: UTF8.self) else {
      let problem = ConfigurationError.Problem(
        "\(path): not UTF-8 text, at line \(lineOfBadText(contents.bytes))",
        hint: "save the file as UTF-8")
      throw ConfigurationError([problem])
    }
    return ConfigurationFile(path: path, text: text)
  }

  /// The main file, then `*.toml` in the folder named like it with `.d`, in order of name.
  static func readAll(_ path: String) throws(ConfigurationError) -> [ConfigurationFile] {
    var files: [ConfigurationFile] = []
    var problems: [ConfigurationError.Problem] = []
    do {
      for file in try [path] + dropIns(of: path) {
        do {
          files.append(try read(file))
        } catch {
          problems += error.problems
        }
      }
    } catch {
      problems.append(.init("\(path).d: \(error.message)", hint: error.hint))
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
    return files
  }

  private static func dropIns(of path: String) throws(FileContents.Refusal) -> [String] {
    let folder = path + ".d"
    return try FileContents.names(in: folder)
      .filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      .map { "\(folder)/\($0)" }
  }

  private static func lineOfBadText(_ bytes: [UInt8]) -> Int {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let bad = lines.firstIndex { $0.contains(0) || String(validating: $0, as: UTF8.self) == nil }
    return (bad ?? 0) + 1
  }
}
