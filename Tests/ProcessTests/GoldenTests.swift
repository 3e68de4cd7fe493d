import BoxSimulator
import Glibc
import Testing

/// What commands print, word by word, compared with the files in `Tests/Data/Golden`.
///
/// With `BOX_EVENTD_WRITE_GOLDEN=1` in the environment the files are written instead.
@Suite struct GoldenTests {
  @Test(arguments: [
    "", "run", "check", "status", "tail", "verify", "position", "login", "demo", "simulate",
  ]) func help(_ command: String) async throws {
    try await withTestEnvironment { fixture in
      let (child, name) = try fixture.begin(command.isEmpty ? ["--help"] : [command, "--help"])
      let outcome = try await fixture.outcome(of: child, name)
      #expect(outcome.exit == .code(0))
      #expect(outcome.errors.isEmpty)
      expect(outcome.output, isAs: command.isEmpty ? "help" : "help-\(command)")
    }
  }

  @Test func everyCommandHasAGoldenHelp() async throws {
    try await withTestEnvironment { fixture in
      let text = try await fixture.run("--help").output
      let list = text.split(separator: "\n").drop { !$0.hasPrefix("SUBCOMMANDS") }.dropFirst()
      let names = list.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  See") }
        .map { String($0.dropFirst(2).prefix { $0 != " " }) }
      #expect(names.count >= 6)
      for name in names { #expect(Golden.read("help-\(name)") != nil, "no golden text for \(name)") }
    }
  }

  /// The errors an operator meets first.
  @Test(arguments: Mistake.allCases) func error(_ mistake: Mistake) async throws {
    try await withTestEnvironment { fixture in
      let outcome = try await mistake.outcome(fixture)
      #expect(outcome.exit == .code(mistake.status))
      if mistake != .loginRefused { #expect(outcome.output.isEmpty) }
      // Without the log of `run`, whose lines begin with the time.
      let text = outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("2") }.joined(separator: "\n")
      expect(neutral(text, fixture) + "\n", isAs: "error-\(mistake.rawValue)")
    }
  }

  enum Mistake: String, CaseIterable {
    case noConfiguration = "no-configuration"
    case unknownKey = "unknown-key"
    case brokenSyntax = "broken-syntax"
    case noSecret = "no-secret"
    case openSecret = "open-secret"
    case noDaemon = "no-daemon"
    case noLoginNeeded = "no-login-needed"
    case loginRefused = "login-refused"
    case spoolIsAFile = "spool-is-a-file"
    case alreadyRunning = "already-running"
    case unknownOption = "unknown-option"
    case unknownStream = "unknown-stream"
    case notAPosition = "not-a-position"
    case positionOfARunningDaemon = "position-of-a-running-daemon"

    var status: Int32 {
      switch self {
      case .noConfiguration, .unknownKey, .brokenSyntax, .noSecret, .openSecret, .noLoginNeeded,
        .spoolIsAFile:
        78
      case .noDaemon: 69
      case .loginRefused: 77
      case .alreadyRunning, .positionOfARunningDaemon: 75
      case .unknownOption, .unknownStream, .notAPosition: 64
      }
    }

    func outcome(_ fixture: TestEnvironment) async throws -> TestEnvironment.Outcome {
      var command = ["run"]
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
      case .noDaemon: command = ["status"]
      case .noLoginNeeded: command = ["login"]
      case .loginRefused:
        fixture.settings.auth[0] = #"method = "oauth2""#
        fixture.settings.auth.remove(at: 2)
        fixture.configure()
        command = ["login"]
      case .spoolIsAFile: writeFile("\(fixture.root)/spool", [], mode: 0o640)
      case .alreadyRunning: try await startDaemon(fixture)
      case .unknownOption: command = ["tail", "--nosuch"]
      case .unknownStream: command = ["tail", "nowhere"]
      case .notAPosition: command = ["position", "set", "default", "yesterday"]
      case .positionOfARunningDaemon:
        try await startDaemon(fixture)
        command = ["position", "set", "default", "now"]
      }
      let (child, name) = try fixture.begin(
        command + ["--config", fixture.configuration], hasInput: self == .loginRefused)
      if self == .loginRefused { child.type("no-such-code") }
      return try await fixture.outcome(of: child, name)
    }

    private func startDaemon(_ fixture: TestEnvironment) async throws {
      _ = try fixture.start()
      try await fixture.simulator.wait { $0.heldPolls == 1 }
    }
  }

  @Test func checkWithProblems() async throws {
    try await withTestEnvironment { fixture in
      chmod("\(fixture.root)/client-secret", 0o644)
      writeFile("\(fixture.root)/spool", [], mode: 0o640)
      fixture.settings.auth.append(#"settings_file = "/nowhere""#)
      fixture.configure()
      let outcome = try await fixture.run("check", "--config", fixture.configuration)
      #expect(outcome.exit == .code(78))
      expect(neutral(outcome.output + outcome.errors, fixture), isAs: "check-with-problems")
    }
  }

  /// The spool intact, then with a corrupt first line.
  @Test func verify() async throws {
    try await withTestEnvironment { fixture in
      fixture.simulator.produce(3)
      let daemon = try fixture.start()
      try await fixture.drained()
      #expect(try await daemon.terminated() == .code(0))
      let bytes = fixture.spool()
      let intact = try await fixture.run("verify", "--config", fixture.configuration)
      #expect(intact.exit == .code(0) && intact.errors.isEmpty)
      let text = intact.output.replacing("\(bytes.count) bytes", with: "N bytes")
      expect(text, isAs: "verify-intact")
      let segment = directoryNames("\(fixture.root)/spool/default").first { $0.hasPrefix("events-") }
      writeFile(
        "\(fixture.root)/spool/default/\(try #require(segment))", [0x5B] + bytes.dropFirst(), mode: 0o640)
      let corrupt = try await fixture.run("verify", "--config", fixture.configuration)
      #expect(corrupt.exit == .code(1) && corrupt.errors.isEmpty)
      expect(corrupt.output, isAs: "verify-corrupt")
    }
  }

  /// The text without the parts that differ from run to run.
  private func neutral(_ text: String, _ fixture: TestEnvironment) -> String {
    text.replacing(fixture.root, with: "ROOT").replacing(/process \d+/, with: "process N")
      .replacing(":\(fixture.simulator.port)/", with: ":PORT/")
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
