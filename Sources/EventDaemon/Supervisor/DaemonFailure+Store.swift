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
    let first = error.problems.first
    let others =
      switch error.problems.count - 1 {
      case ...0: ""
      case 1: " (and 1 more problem)"
      case let more: " (and \(more) more problems)"
      }
    self.init(
      .configuration, (first?.message ?? "the configuration is wrong") + others,
      hint: first?.hint ?? "see: box-eventd check")
  }

  init(_ givenUp: StreamGivenUp) {
    self.init(
      givenUp.remedy == .signIn ? .signIn : .data, "every stream waits for a person: \(givenUp.message)",
      hint: givenUp.hint ?? "see the log for each stream")
  }
}
