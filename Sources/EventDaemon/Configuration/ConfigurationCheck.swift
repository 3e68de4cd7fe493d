/// What `box-eventd check` finds without the network: the configuration, and every file and
/// directory it names, seen with the eyes of the user it runs as.
package struct ConfigurationCheck: Sendable {
  /// One line of the check's output.
  package struct Finding: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case fine
      /// Worth knowing; nothing to refuse.
      case note
      /// The daemon would not run with it.
      case problem
    }

    package var kind: Kind
    package var message: String
    /// What to do, for problems and some notes.
    package var hint: String?
  }

  package private(set) var findings: [Finding] = []
  /// The configuration, if it could be read.
  package private(set) var configuration: Configuration?

  package var isFine: Bool { !findings.contains { $0.kind == .problem } }

  /// The problems as the error `run` would stop with, if there are any.
  package var error: ConfigurationError? {
    let problems = findings.filter { $0.kind == .problem }.map {
      ConfigurationError.Problem($0.message, hint: $0.hint ?? "")
    }
    return problems.isEmpty ? nil : ConfigurationError(problems)
  }

  /// Checks everything that can be checked offline.
  package init(_ path: String, environment: [String: String]) {
    let configuration: Configuration
    do {
      configuration = try Configuration.load(path, environment: environment)
    } catch {
      add(error)
      return
    }
    self.configuration = configuration
    let count = configuration.streams.count
    fine(
      "\(path): \(count) \(count == 1 ? "stream" : "streams"), signing in with "
        + "\"\(configuration.auth.method.rawValue)\"")
    checkSecrets(configuration, environment)
    checkUnused(configuration)
    checkDirectories(configuration, madeByUnit: Configuration.instanceEnvironment(of: path))
    checkCertificates(configuration.box)
  }

  mutating func fine(_ message: String) {
    findings.append(Finding(kind: .fine, message: message))
  }

  mutating func note(_ message: String, hint: String) {
    findings.append(Finding(kind: .note, message: message, hint: hint))
  }

  mutating func problem(_ message: String, hint: String?) {
    findings.append(Finding(kind: .problem, message: message, hint: hint))
  }

  mutating func add(_ error: ConfigurationError) {
    for found in error.problems { problem(found.message, hint: found.hint) }
  }
}
