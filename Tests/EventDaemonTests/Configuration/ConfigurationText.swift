import Testing

@testable import EventDaemon

/// Short ways to read configurations in tests.
enum ConfigurationText {
  /// The least that is accepted.
  static let minimal = """
    [auth]
    client_id = "id"
    subject = "user:1"
    [[stream]]
    name = "default"
    """

  static func read(
    _ text: String, _ dropIns: [String] = [], environment: [String: String] = [:]
  ) throws(ConfigurationError) -> Configuration {
    let others = dropIns.enumerated().map { ConfigurationFile(path: "d/\($0.offset).toml", text: $0.element) }
    return try Configuration(
      files: [ConfigurationFile(path: "main.toml", text: text)] + others, environment: environment)
  }

  /// The problems of a configuration, `message / hint` each; empty if it is accepted.
  static func problems(_ text: String, _ dropIns: [String] = []) -> [String] {
    do {
      _ = try read(text, dropIns)
      return []
    } catch {
      return error.problems.map { "\($0.message) / \($0.hint ?? "")" }
    }
  }

  /// The minimal configuration with a line added to one of its tables, or with a table added.
  static func minimal(_ table: String, _ line: String) -> String {
    switch table {
    case "auth": minimal.replacing("subject = \"user:1\"", with: "subject = \"user:1\"\n\(line)")
    case "stream": minimal + "\n\(line)"
    default: minimal + "\n[\(table)]\n\(line)"
    }
  }
}
