import BoxSimulator
import Glibc
import Testing

/// What commands print, word by word, as the files in `Golden` have it.
///
/// With `BOX_EVENTD_WRITE_GOLDEN=1` in the environment the files are written anew instead.
@Suite struct GoldenTests {
  @Test(arguments: [
    "", "run", "check", "status", "tail", "verify", "position", "login", "demo", "simulate",
  ]) func help(_ command: String) async throws {
    try await withPlace { fixture in
      let (child, name) = try fixture.begin(command.isEmpty ? ["--help"] : [command, "--help"])
      let outcome = try await fixture.outcome(of: child, name)
      #expect(outcome.exit == .code(0))
      #expect(outcome.errors.isEmpty)
      expect(outcome.output, isAs: command.isEmpty ? "help" : "help-\(command)")
    }
  }

  @Test func everyCommandHasItsHelpHere() async throws {
    try await withPlace { fixture in
      let text = try await fixture.run("--help").output
      let list = text.split(separator: "\n").drop { !$0.hasPrefix("SUBCOMMANDS") }.dropFirst()
      let names = list.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  See") }
        .map { String($0.dropFirst(2).prefix { $0 != " " }) }
      #expect(names.count >= 6)
      for name in names { #expect(Golden.read("help-\(name)") != nil, "no golden text for \(name)") }
    }
  }

  /// Each way to go wrong that a person meets first.
  @Test(arguments: Mishap.allCases) func error(_ mishap: Mishap) async throws {
    try await withPlace { fixture in
      let outcome = try await mishap.outcome(fixture)
      #expect(outcome.exit == .code(mishap.status))
      #expect(outcome.output.isEmpty)
      let text = outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("2") }.joined(separator: "\n")
      expect(text.replacing(fixture.root, with: "ROOT") + "\n", isAs: "error-\(mishap.rawValue)")
    }
  }

  enum Mishap: String, CaseIterable {
    case noConfiguration = "no-configuration"
    case unknownKey = "unknown-key"
    case brokenSyntax = "broken-syntax"
    case noSecret = "no-secret"
    case openSecret = "open-secret"
    case noDaemon = "no-daemon"
    case noLoginNeeded = "no-login-needed"
    case spoolIsAFile = "spool-is-a-file"

    var status: Int32 { self == .noDaemon ? 69 : 78 }

    func outcome(_ fixture: TestEnvironment) async throws -> TestEnvironment.Outcome {
      var command = "run"
      switch self {
      case .noConfiguration: unlink(fixture.configuration)
      case .unknownKey:
        fixture.settings.auth.append(#"clientid = "x""#)
        fixture.configure()
      case .brokenSyntax:
        fixture.settings.auth.append("client_id = ")
        fixture.configure()
      case .noSecret: unlink("\(fixture.root)/client-secret")
      case .openSecret: chmod("\(fixture.root)/client-secret", 0o644)
      case .noDaemon: command = "status"
      case .noLoginNeeded: command = "login"
      case .spoolIsAFile: writeFile("\(fixture.root)/spool", [], mode: 0o640)
      }
      return try await fixture.run(command, "--config", fixture.configuration)
    }
  }

  private func expect(
    _ text: String, isAs name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    if getenv("BOX_EVENTD_WRITE_GOLDEN") != nil { return Golden.write(name, text) }
    #expect(Golden.read(name) == text, "Golden/\(name).txt", sourceLocation: sourceLocation)
  }
}

/// The folder of golden texts.
enum Golden {
  private static let folder =
    #filePath.split(separator: "/", omittingEmptySubsequences: false)
    .dropLast(2).joined(separator: "/") + "/Data/Golden"

  static func read(_ name: String) -> String? {
    let bytes = readFile("\(folder)/\(name).txt")
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  static func write(_ name: String, _ text: String) {
    writeFile("\(folder)/\(name).txt", Array(text.utf8), mode: 0o644)
  }
}
