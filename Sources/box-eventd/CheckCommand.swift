import ArgumentParser
import BoxEvents
import EventDaemon

struct CheckCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check the configuration, secrets, files and permissions.",
    discussion: """
      Checks everything the daemon needs, and prints all problems at once, each with what to do. With \
      --online it also signs in and asks Box for a realtime server, once for each stream; for that it creates \
      a missing state directory and, with method oauth2, renews the stored login. It changes nothing else.

      Exit status: 0 no problems, 69 Box can't be reached, 77 Box refuses the sign-in, the token or a right, 78 \
      the configuration is not valid.
      """)

  @OptionGroup var configuration: ConfigurationOption

  @Flag(help: "Also sign in and ask Box for a realtime server.") var online = false

  @Flag(help: "Check what a reload can use, as ExecReload= of the unit does.") var reload = false

  func run() async throws {
    try await StateOwner.become(
      of: configuration.path, environment: configuration.environment, makesState: online,
      warn: StandardOutput.warn
    ) { environment, credentials, interruption in
      let checked = try check(environment, credentials)
      guard online else { return }
      try OnlineCheck.requireSecrets(of: checked, credentials)
      try await checkOnline(checked, environment, interruption)
    }
  }

  private func check(
    _ environment: [String: String], _ credentials: [SecretFile.Kind: CredentialOrigin]
  ) throws -> Configuration {
    let check = ConfigurationCheck(
      configuration.path, environment: environment, credentials: credentials, isReload: reload)
    check.findings.forEach(show)
    try StandardOutput.check()
    guard check.isFine, let checked = check.configuration else {
      let count = check.findings.count { $0.kind == .problem }
      throw DaemonFailure(
        .configuration, count == 1 ? "1 problem found" : "\(count) problems found",
        hint: "Fix every line marked PROBLEM, then check again.")
    }
    return checked
  }

  private func checkOnline(
    _ checked: Configuration, _ environment: [String: String], _ interruption: Interruption
  ) async throws {
    let (findings, failure) = try await interruption.deferring {
      try await OnlineCheck.run(checked, environment: environment)
    }
    findings.forEach(show)
    if let failure { throw failure }
  }

  private func show(_ finding: ConfigurationCheck.Finding) {
    let label =
      switch finding.kind {
      case .fine: "ok      "
      case .note: "note    "
      case .problem: "PROBLEM "
      }
    StandardOutput.print(label + finding.message)
    let commands = CommandText(configurationPath: configuration.path)
    if let hint = finding.hint { StandardOutput.print("          " + commands.complete(hint)) }
  }
}
