extension Configuration {
  /// What can be read of a configuration, for commands that are needed most while it has mistakes.
  ///
  /// A file that can't be read, a line that is not valid TOML and a value that isn't allowed count as missing: the
  /// defaults hold then, the unit's directories among them.
  /// - Returns: also all that is wrong; nil if nothing is.
  package static func readable(
    _ path: String, environment: [String: String]
  ) -> (configuration: Configuration, error: ConfigurationError?) {
    do {
      return (try load(path, environment: environment), nil)
    } catch {
      let files = ConfigurationFile.readable(path).map { $0.withoutInvalidLines() }
      var reader = ConfigurationReader(source: ConfigurationSource(files))
      reader.readTables(environment.merging(instanceEnvironment(of: path)) { given, _ in given })
      var names: Set<String> = [""]
      reader.configuration.streams.removeAll { !names.insert($0.name).inserted }
      return (reader.configuration, error)
    }
  }
}

extension ConfigurationFile {
  /// The file with empty lines in place of those that keep it from being valid TOML. After a header that is not valid,
  /// the lines up to the next header go with it: below another header they would mean something else.
  func withoutInvalidLines() -> ConfigurationFile {
    var file = self
    var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    // Each attempt parses the file again. Beyond these, nothing of it counts.
    for _ in 0..<100 {
      let line: Int
      do throws(TOMLSyntaxError) {
        _ = try TOMLNode.parse(file, TOMLKeyLines(file.text))
        return file
      } catch {
        line = error.location.line ?? lines.count
      }
      // The end of the text is where an unclosed value is noticed.
      guard let last = lines.prefix(line).lastIndex(where: { $0.contains { !$0.isWhitespace } }) else {
        break
      }
      let end = Self.isHeader(lines[last]) ? lines[(last + 1)...].firstIndex(where: Self.isHeader) : last + 1
      for index in last..<(end ?? lines.count) { lines[index] = "" }
      file.text = lines.joined(separator: "\n")
    }
    file.text = ""
    return file
  }

  private static func isHeader(_ line: String) -> Bool { line.first { !$0.isWhitespace } == "[" }
}
