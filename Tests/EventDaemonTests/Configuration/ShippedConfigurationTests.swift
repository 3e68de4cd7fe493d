import FoundationEssentials
import Testing

@testable import EventDaemon

/// `config/box-eventd.toml` is documentation; these tests keep it true.
@Suite struct ShippedConfigurationTests {
  private static let text: String? = {
    var path = #filePath[...]
    for _ in 0..<4 { path = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex) }
    return try? String(contentsOfFile: path + "/config/box-eventd.toml", encoding: .utf8)
  }()

  private let lines: [Substring]

  init() throws {
    lines = try #require(Self.text).split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The file with its `#key = value` lines made real.
  private func uncommented(examples: Bool) -> String {
    lines.map { line in
      guard let key = Self.key(line), line.hasPrefix("#") else { return String(line) }
      let needed = ["client_id", "subject"].contains(key)
      return line.hasSuffix("# example") && !examples && !needed ? String(line) : String(line.dropFirst())
    }.joined(separator: "\n")
  }

  /// The key of a line `key = …` or `#key = …`.
  private static func key(_ line: Substring) -> String? {
    let bare = line.hasPrefix("#") ? line.dropFirst() : line
    let key = bare.prefix { $0.isASCII && ($0.isLowercase || $0 == "_") }
    return !key.isEmpty && bare.dropFirst(key.count).hasPrefix(" = ") ? String(key) : nil
  }

  @Test func byItselfItIsRefusedInOneClearSentence() {
    let problems = ConfigurationText.problems(lines.joined(separator: "\n"))
    #expect(
      problems
        == [
          "main.toml: nothing is configured yet: client_id in [auth] is missing / "
            + "fill in [auth]: client_id and subject of your Box app, and where its secret is"
        ].map { $0.replacing("main.toml:", with: "main.toml:\(line(of: "[auth]")):") })
  }

  private func line(of text: Substring) -> Int { (lines.firstIndex(of: text) ?? -1) + 1 }

  @Test func everyKnownKeyStandsInItsTable() {
    var table = ""
    var found: [String: [String]] = [:]
    for line in lines {
      if line.hasPrefix("[") { table = line.filter { $0 != "[" && $0 != "]" } }
      if let key = Self.key(line) { found[table, default: []].append(key) }
    }
    for (name, keys) in ConfigurationKey.tables {
      #expect(found[name]?.sorted() == keys.sorted(), "[\(name)]")
    }
    #expect(found.count == ConfigurationKey.tables.count)
  }

  @Test func everyKeyIsExplained() {
    for (index, line) in lines.enumerated() where Self.key(line) != nil {
      #expect(index > 0 && lines[index - 1].hasPrefix("#"), "line \(index + 1)")
    }
  }

  @Test func theDocumentedDefaultsAreTheCodes() throws {
    let configuration = try ConfigurationText.read(uncommented(examples: false))
    var expected = Configuration(
      auth: .init(
        method: .clientCredentials, clientID: configuration.auth.clientID,
        subject: configuration.auth.subject), streams: [.init(name: "default")])
    #expect(configuration == expected)
    expected.box.maxPage = .mebibytes(1)
    #expect(configuration != expected)
    #expect(configuration == (try ConfigurationText.read(asWrittenWithNeeded)))
  }

  /// The shipped file with only what must be filled in.
  private var asWrittenWithNeeded: String {
    lines.map { line in
      let isNeeded = line.hasSuffix("# example") && ["client_id", "subject"].contains(Self.key(line))
      return String(isNeeded ? line.dropFirst() : line)
    }.joined(separator: "\n")
  }

  @Test func itsExamplesAreAccepted() {
    #expect(ConfigurationText.problems(uncommented(examples: true)).isEmpty)
  }
}
