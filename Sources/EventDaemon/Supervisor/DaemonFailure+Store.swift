import BoxClient
import BoxEvents

extension DaemonFailure {
  init(_ failure: StoreFailure) {
    let exit: ExitStatus =
      switch failure.code {
      case .noSpace, .io: .io
      case .blocked: .data
      case .locked: .alreadyRunning
      case .refused: .configuration
      }
    self.init(exit, failure.message, hint: failure.hint, errno: failure.errno)
  }

  init(_ error: ClientSettingsError) {
    self.init(.configuration, error.message, hint: error.hint)
  }

  init(_ error: ConfigurationError) {
    let text = error.description.split(separator: "\n", maxSplits: 1).map(String.init)
    self.init(.configuration, text.first ?? "the configuration is wrong", hint: text.dropFirst().first)
  }

  init(_ givenUp: StreamGivenUp) {
    self.init(
      givenUp.remedy == .signIn ? .signIn : .data, "every stream waits for a person: \(givenUp.message)",
      hint: givenUp.hint ?? "see the log for each stream")
  }
}
