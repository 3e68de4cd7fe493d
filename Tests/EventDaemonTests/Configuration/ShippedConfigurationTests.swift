import FoundationEssentials
import Glibc
import Testing

@testable import EventDaemon

/// `config/box-eventd.toml`, the manual page made from it, and the keys' entries agree.
@Suite struct ShippedConfigurationTests {
  private static let root: Substring = {
    var path = #filePath[...]
    for _ in 0..<4 { path = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex) }
    return path
  }()
  private static let file = "\(root)/config/box-eventd.toml"

  /// A key as the file documents it.
  private struct Documented {
    var table: String
    var name: String
    /// The comment above it, in one line.
    var comment: String
    /// Its default or example.
    var value: String
  }

  private let lines: [Substring]

  init() throws {
    lines = try String(contentsOfFile: Self.file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  private var documented: [Documented] {
    var (keys, table, comment): ([Documented], String, [String]) = ([], "", [])
    for line in lines {
      if let name = Self.key(line) {
        let value = line.split(separator: "# example").first?.split(separator: " = ", maxSplits: 1).last ?? ""
        let end = value.lastIndex { $0 != " " }.map { value[...$0] } ?? ""
        keys.append(
          Documented(
            table: table, name: name, comment: comment.joined(separator: " "), value: String(end)))
      }
      if line.hasPrefix("[") { table = String(line) }
      if line.hasPrefix("# ") {
        comment += line.dropFirst(2).split(separator: " ").map(String.init)
      } else {
        comment = []
      }
    }
    return keys
  }

  @Test func hasEveryKeyInOrder() {
    let expected = ConfigurationKeys.tables.flatMap { table in table.keys.map { "\(table.header) \($0.name)" }
    }
    #expect(documented.map { "\($0.table) \($0.name)" } == expected)
  }

  @Test func describesEachKeyAsItsEntryDoes() {
    for (key, text) in zip(ConfigurationKeys.tables.flatMap(\.keys), documented) {
      #expect(text.comment.hasPrefix(key.summary), "\(key.name): \(text.comment)")
      for fact in key.documented {
        #expect(text.comment.contains(fact), "\(key.name): \(fact)")
      }
    }
  }

  @Test func namesWhatAReloadTakesOver() {
    for table in ConfigurationKeys.tables {
      let keys = table.keys.filter(\.isReloaded).map(\.name)
      let expected =
        ["[log]", "[[stream]]"].contains(table.header)
        ? table.keyNames : table.keys.filter { $0.secret != nil }.map(\.name)
      #expect(keys == expected, "\(table.header)")
    }
    let head = lines.prefix(20).map { $0.dropFirst(2) }.joined(separator: " ")
    #expect(
      head.contains(
        "Changes to [log], [[stream]] and secrets take effect with \"systemctl reload box-eventd\""))
  }

  @Test func isTheSourceOfTheManualPage() throws {
    let page = try Self.output(of: "python3 '\(Self.root)/packaging/man/box-eventd.toml.py' '\(Self.file)'")
    let sections = page.split(separator: "\n.Ss ").dropFirst()
    #expect(sections.map { $0.prefix { $0 != "\n" } } == ConfigurationKeys.tables.map { "\"\($0.header)\"" })
    let items = sections.flatMap { $0.split(separator: "\n.It Ic ").dropFirst() }
    #expect(items.count == documented.count)
    for (key, item) in zip(documented, items) {
      let value = key.value.replacing("\"", with: "\\(dq").replacing("-", with: "\\-")
      #expect(item.hasPrefix("\(key.name)\n"), "\(key.name): \(item)")
      // Every stream needs a name, so that the file sets it.
      #expect(key.name == "name" || item.contains(":\n.Ql \"\(value)\" ."), "\(key.name): \(item)")
    }
  }

  /// The credentials and the keys that stand in for them, in the manual page of the service.
  @Test func namesCredentialsAsTheManualDoes() throws {
    let page = try String(contentsOfFile: "\(Self.root)/packaging/man/box-eventd.8", encoding: .utf8)
    for secret in SecretFile.Kind.allCases {
      let key = try #require(ConfigurationKeys.key(of: secret)).key.name
      #expect(page.contains(".It \(secret.rawValue)\nor\n.Ic \(key) "), "\(secret)")
    }
  }

  private static func output(of command: String) throws -> String {
    let pipe = try #require(popen(command, "r"))
    var bytes: [UInt8] = []
    while case let byte = fgetc(pipe), byte != EOF { bytes.append(UInt8(byte)) }
    #expect(pclose(pipe) == 0)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The file with its `#key = value` lines made settings.
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

  @Test func isRefusedInOneSentenceUntilFilledIn() {
    let problems = ConfigurationText.problems(lines.joined(separator: "\n"))
    #expect(
      problems
        == [
          "main.toml: nothing is configured yet: missing client_id in [auth] / "
            + "Fill in [auth]: client_id and subject of your Box app, and where its secret is."
        ].map { $0.replacing("main.toml:", with: "main.toml:\(line(of: "[auth]")):") })
  }

  private func line(of text: Substring) -> Int { (lines.firstIndex(of: text) ?? -1) + 1 }

  @Test func documentsDefaultsOfConfiguration() throws {
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

  /// The file with only what must be filled in.
  private var asWrittenWithNeeded: String {
    lines.map { line in
      let isNeeded = line.hasSuffix("# example") && ["client_id", "subject"].contains(Self.key(line))
      return String(isNeeded ? line.dropFirst() : line)
    }.joined(separator: "\n")
  }

  @Test func hasValidExamples() {
    #expect(ConfigurationText.problems(uncommented(examples: true)).isEmpty)
  }
}
