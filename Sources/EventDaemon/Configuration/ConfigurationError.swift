import BoxEvents

/// Why a configuration can't be used: everything that is wrong with it, not only the first.
package struct ConfigurationError: Error, Hashable, Sendable {
  /// At least one, by file and line.
  package var problems: [Problem]

  package init(_ problems: [Problem]) {
    self.problems = problems
  }

  /// One thing that is wrong. Never carries a secret.
  package struct Problem: ExplainedError, Hashable, Sendable {
    /// What is wrong, with its location: `/etc/box-eventd/box-eventd.toml:12: unknown key …`.
    package var message: String
    /// What to do about it.
    package var hint: String?

    package init(_ message: String, hint: String?) {
      self.message = message
      self.hint = hint
    }

    init(at location: Location, _ message: String, hint: String) {
      self.init("\(location): \(message)", hint: hint)
    }
  }

  /// Where in the files something stands.
  struct Location: Hashable, Sendable, Comparable, CustomStringConvertible {
    var file: String
    /// From 1; nil for a whole file.
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
    problems.map { [$0.message, $0.hint].compactMap(\.self).joined(separator: "\n  ") }.joined(
      separator: "\n")
  }
}
