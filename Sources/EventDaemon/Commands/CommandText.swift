import Logging

/// Completes the commands in messages and hints for the configuration of this process. An instance of the unit template
/// has a file and a unit of its own, which the modules that write the messages don't know.
package struct CommandText: Sendable {
  private let path: String

  package init(configurationPath path: String) { self.path = path }

  /// The commands that take `--config`, by their last word.
  private static let commands: Set = ["login", "check", "status", "verify", "tail"]
  private static let subcommands: Set = ["set", "show"]
  private static let unitCommands: Set = ["start", "stop", "restart", "reload", "status"]

  /// `box-eventd login.` becomes `box-eventd login --config /etc/box-eventd/a.toml.`, and `systemctl stop box-eventd`
  /// `systemctl stop box-eventd@a`.
  /// - Parameter stream: what stands for STREAM, if it is known.
  package func complete(_ text: String, stream: String? = nil) -> String {
    var words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    for index in words.indices where Self.stem(words[index]) == "box-eventd" {
      if index >= 2, words[index - 2].hasSuffix("systemctl"), Self.unitCommands.contains(words[index - 1]) {
        words[index] = Configuration.unit(of: path) + Self.end(words[index])
      }
      var last = index + 1
      guard words[index] == "box-eventd", last < words.count else { continue }
      if words[last] == "position" {
        last += 1
        guard last < words.count, Self.subcommands.contains(Self.stem(words[last])) else { continue }
        if let stream, last + 1 < words.count, Self.stem(words[last + 1]) == "STREAM" {
          words[last + 1] = stream + Self.end(words[last + 1])
        }
      } else if !Self.commands.contains(Self.stem(words[last])) {
        continue
      }
      let isComplete = last + 1 < words.count && words[last + 1] == "--config"
      guard path != Configuration.defaultPath, !isComplete else { continue }
      words[last] = "\(Self.stem(words[last])) --config \(path)\(Self.end(words[last]))"
    }
    return words.joined(separator: " ")
  }

  package func complete(_ failure: DaemonFailure) -> DaemonFailure {
    var failure = failure
    failure.hint = failure.hint.map { complete($0) }
    for index in failure.problems.indices {
      failure.problems[index].hint = failure.problems[index].hint.map { complete($0) }
    }
    return failure
  }

  /// The metadata of a log line.
  func complete(_ metadata: Logger.Metadata) -> Logger.Metadata {
    let stream = metadata["stream"]?.description
    return metadata.merging(
      metadata.filter { $0.key == "hint" }.mapValues {
        .string(complete($0.description, stream: stream))
      }
    ) { $1 }
  }

  /// A word without the punctuation at its end, and the punctuation.
  private static func stem(_ word: String) -> String { String(word.dropLast(end(word).count)) }
  private static func end(_ word: String) -> String {
    String(word.reversed().prefix { ".,:;".contains($0) }.reversed())
  }
}
