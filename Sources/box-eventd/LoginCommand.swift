import ArgumentParser
import EventDaemon

struct LoginCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "login",
    abstract: "Log in once for method oauth2 and store the refresh token.",
    discussion: """
      Prints an address to open in a browser. After allowing access there, paste the code, or the address \
      the browser was sent to. The refresh token is stored in the state directory; the daemon renews it from \
      then on.

      Exit status: 0 stored, 64 no code was pasted, 69 Box can't be reached, 77 the login was refused, 78 the \
      configuration is not valid.
      """)

  @OptionGroup var configuration: ConfigurationOption

  func run() async throws {
    try await StateOwner.become(
      of: configuration.path, environment: configuration.environment, makesState: true,
      warn: StandardOutput.warn
    ) { environment, _, interruption in try await login(environment, interruption) }
  }

  private func login(_ environment: [String: String], _ interruption: Interruption) async throws {
    let session = try LoginSession(
      try Configuration.load(configuration.path, environment: environment), environment: environment)
    StandardOutput.print(
      """
      Open this address in a browser and allow access:

        \(session.authorizationURL)

      Then paste the code, or the address the browser was sent to, and press Enter:
      """)
    try StandardOutput.check()
    guard let pasted = readLine(), !pasted.isEmpty else {
      throw DaemonFailure(.usage, "no code pasted", hint: "Run the command again when you have the code.")
    }
    try await interruption.deferring { try await session.finish(pasted: pasted) }
    StandardOutput.print("Logged in. The daemon uses this login from its next sign-in on.")
  }
}
