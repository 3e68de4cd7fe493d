import BoxClient
import BoxEvents
import Systemd

/// How the process ends: the statuses of sysexits.h that the daemon and its commands use.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  case success = 0
  case usage = 64
  /// Every stream requires operator action, and none a sign-in: for its spool or position, a request that Box
  /// refuses, or pages that can't be read. Of a command: a stream's files can't be used.
  case data = 65
  /// The daemon doesn't run, or can't start its threads; or Box can't be reached.
  case unavailable = 69
  case software = 70
  case io = 74
  case alreadyRunning = 75
  /// Every stream requires operator action, and at least one a sign-in. Of a command: Box refused the sign-in,
  /// the access token or the right to read.
  case signIn = 77
  case configuration = 78
}

/// Why the daemon, or a command, ends without success.
package struct DaemonFailure: ExplainedError, Hashable, Sendable {
  package var exit: ExitStatus
  package var message: String
  package var hint: String?
  /// The system's error number, where a call failed.
  package var errno: Int32?
  /// All that is wrong with the configuration, where that is the reason; the message has the first.
  package var problems: [ConfigurationError.Problem] = []
  /// Whether the journal has it already, with all problems.
  package var isLogged = false

  package init(_ exit: ExitStatus, _ message: String, hint: String?, errno: Int32? = nil) {
    self.exit = exit
    self.message = message
    self.hint = hint
    self.errno = errno
  }

  /// Maps every error of the package; any other one is a defect of the program.
  package init(_ error: any Error) {
    switch error {
    case let failure as DaemonFailure: self = failure
    case let failure as StoreFailure: self.init(failure.exit, failure, errno: failure.errno)
    case let failure as StatusFailure: self.init(failure.exit, failure, errno: failure.errno)
    case let failure as ConfigurationError: self.init(failure)
    case let failure as SystemdError: self.init(.configuration, failure, errno: failure.errno)
    case let failure as ClientSettingsError: self.init(.configuration, failure, errno: nil)
    default:
      self.init(
        .software, "unexpected error: \(error)",
        hint: "Start it again, nothing is lost. Please report this error.")
    }
  }

  private init(_ exit: ExitStatus, _ error: some ExplainedError, errno: Int32?) {
    self.init(exit, error.message, hint: error.hint, errno: errno)
  }

  private init(_ error: ConfigurationError) {
    let first = error.problems.first
    let others =
      switch error.problems.count - 1 {
      case ...0: ""
      case 1: " (and 1 more problem)"
      case let more: " (and \(more) more problems)"
      }
    self.init(
      .configuration, (first?.message ?? "the configuration is not valid") + others,
      hint: first?.hint ?? "Run: box-eventd check.")
    problems = error.problems
  }

  /// What precedes a line on stderr: where that leads to the journal, a priority. See sd-daemon(3).
  package static var linePrefix: String { LogDestination.current == .journal ? "<3>" : "" }

  init(_ operatorActionRequired: OperatorActionRequired) {
    self.init(
      operatorActionRequired.remedy == .signIn ? .signIn : .data,
      "every stream requires operator action: \(operatorActionRequired.message)",
      hint: operatorActionRequired.hint ?? "See the log of each stream.")
  }

  /// Runs `body` and maps what it throws.
  package static func mapping<Value, Failure>(
    _ body: () throws(Failure) -> Value
  ) throws(DaemonFailure) -> Value {
    do throws(Failure) {
      return try body()
    } catch {
      throw DaemonFailure(error)
    }
  }
}

extension StoreFailure {
  fileprivate var exit: ExitStatus {
    switch code {
    case .noSpace, .io: .io
    case .blocked: .data
    case .locked: .alreadyRunning
    case .refused: .configuration
    case .misuse: .software
    }
  }
}

extension StatusFailure {
  fileprivate var exit: ExitStatus {
    switch code {
    case .notRunning, .permissionDenied, .unresponsive, .unreadable: .unavailable
    case .notListening: .configuration
    }
  }
}
