import ArgumentParser
import BoxEvents
import EventDaemon
import FoundationEssentials

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check the configuration, secrets, files and permissions.",
    discussion: """
      Looks at everything the daemon needs and says what is wrong and what to do, all at once. \
      With --online it also signs in and asks Box for a realtime server, once a stream; a missing state \
      directory is made for that. Nothing else is changed.

      Exit status: 0 nothing is wrong, 69 Box can't be reached, 77 signing in needs a person, 78 the \
      configuration is wrong.
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Flag(help: "Also sign in and ask Box for a realtime server.")
  var online = false

  func run() async throws {
    try await reportingFailure {
      let environment = ProcessInfo.processInfo.environment
      try await StateOwner.become(of: configuration.path, environment: environment, makesState: online) {
        environment in
        try await check(environment)
      }
    }
  }

  private func check(_ environment: [String: String]) async throws {
    let check = ConfigurationCheck(configuration.path, environment: environment)
    for finding in check.findings { show(finding) }
    guard check.isFine, let checked = check.configuration else {
      let count = check.findings.count { $0.kind == .problem }
      throw CommandFailure(
        .configuration, count == 1 ? "1 problem found" : "\(count) problems found",
        hint: "fix what is marked above and check again")
    }
    if online { try await checkOnline(checked, environment) }
  }

  private func show(_ finding: ConfigurationCheck.Finding) {
    let checkpoint =
      switch finding.kind {
      case .fine: "ok      "
      case .note: "note    "
      case .problem: "PROBLEM "
      }
    StandardOutput.print(checkpoint + finding.message)
    if let hint = finding.hint { StandardOutput.print("          " + hint) }
  }

  private func checkOnline(_ checked: Configuration, _ environment: [String: String]) async throws {
    let results = try await OnlineCheck(checked, environment: environment).run()
    for result in results {
      if let failure = result.failure {
        StandardOutput.print("PROBLEM stream \(result.stream): \(failure.message)")
        if let hint = failure.hint { StandardOutput.print("          " + hint) }
      } else {
        StandardOutput.print("ok      stream \(result.stream): signed in, and Box answers")
      }
    }
    let failures = results.compactMap(\.failure)
    guard let first = failures.first else { return }
    throw CommandFailure(
      failures.contains { $0.code == .signInRefused } ? .signIn : .unavailable,
      "\(failures.count) of \(results.count) streams can't be read",
      hint: first.hint ?? "see above; the daemon itself would go on trying")
  }
}
