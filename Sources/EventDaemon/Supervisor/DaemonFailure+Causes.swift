import BoxClient
import BoxEvents
import Systemd

extension DaemonFailure {
  /// Any error at all: what nobody has foreseen is a bug, and says so.
  init(_ error: any Error) {
    switch error {
    case let failure as DaemonFailure: self = failure
    case let failure as StoreFailure: self.init(failure)
    case let failure as SystemdError: self.init(failure)
    default:
      self.init(
        .software, "ended by an error that was not foreseen: \(error)",
        hint: "start it again, nothing is lost; and please report this line")
    }
  }

  init(_ error: SystemdError) {
    self.init(.configuration, error.message, hint: error.hint, errno: error.errno)
  }

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

  init(_ operatorActionRequired: OperatorActionRequired) {
    self.init(
      operatorActionRequired.remedy == .signIn ? .signIn : .data,
      "every stream requires operator action: \(operatorActionRequired.message)",
      hint: operatorActionRequired.hint ?? "see the log for each stream")
  }
}
