import BoxClient
import BoxEvents
import Glibc
package import Spool

/// What `box-eventd check` finds without the network: the configuration, and every file and directory it names, as the
/// user it runs as. What `run` reads is read with the same functions here.
package struct ConfigurationCheck: Sendable {
  /// One line of the check's output.
  package struct Finding: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case fine
      /// Worth knowing, but nothing to refuse.
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
  /// Whether the service runs as another user than this process, and so may do more.
  private var isOfAnotherUser = false
  /// Whether it certainly does: nothing that is closed to this process is checked.
  private(set) var isOutside = false
  let disk: any Disk
  /// The unit it is for, where this process sees it from outside and systemd answers.
  let unit: UnitSettings?
  /// The processes that have locked the spool and the state last.
  var lockHolders: [Int32] = []

  package var isFine: Bool { !findings.contains { $0.kind == .problem } }

  /// - Parameters:
  ///   - credentials: where those in `$CREDENTIALS_DIRECTORY` come from, as far as root has found out.
  ///   - isReload: called by `ExecReload=`, which may not see the unit's credentials.
  package init(
    _ path: String, environment: [String: String], credentials: [SecretFile.Kind: CredentialOrigin] = [:],
    isReload: Bool = false, on disk: any Disk = LocalDisk(), unit: UnitSettings? = nil
  ) {
    self.disk = disk
    self.unit = unit ?? (isReload ? nil : UnitSettings(ofConfiguration: path))
    let configuration: Configuration
    do {
      configuration = try Configuration.load(path, environment: environment)
    } catch {
      isOfAnotherUser = StateOwner.isAnother(
        than: Configuration.readable(path, environment: environment).configuration)
      add(error)
      return
    }
    self.configuration = configuration
    isOfAnotherUser = StateOwner.isAnother(than: configuration)
    // What this user can't see is nothing to conclude from; without a state, it may still be the service's.
    isOutside = isOfAnotherUser && access(configuration.state.directory, F_OK) == 0
    if isOutside {
      add(
        .problem, "this user is neither root nor the service's: most can't be checked",
        hint: "Run it with sudo.")
    }
    let count = configuration.streams.count
    let (streams, method) = (count == 1 ? "stream" : "streams", configuration.auth.method.rawValue)
    add(.fine, "\(path): \(count) \(streams), signing in with \"\(method)\"")
    if !isReload { estimateCalls(configuration) }
    checkSecrets(configuration, environment, credentials, isReload)
    noteUnused(configuration)
    noteIgnored(path, environment)
    checkDirectories(configuration, madeByUnit: Configuration.directoriesMadeByUnit(of: path))
    if !isReload { noteOtherDaemons(configuration) }
    checkPositions(configuration, isReload)
    noteMissingLogin(configuration, path)
    checkOpenFiles(streams: count, isReload)
    // During a reload the daemon has its socket.
    if !isReload, !isOutside { checkSocket(configuration.status) }
    checkListenAddress(configuration.status)
    checkTransport(configuration, environment)
  }

  /// - Parameter isDenied: this process may not do it.
  mutating func add(_ kind: Finding.Kind, _ message: String, hint: String? = nil, isDenied: Bool = false) {
    // Reported once, at the top.
    if isDenied, isOutside { return }
    let hint = isDenied && isOfAnotherUser ? StateOwner.sudoHint : hint
    findings.append(Finding(kind: kind, message: message, hint: hint))
  }

  mutating func add(_ error: ConfigurationError) {
    for problem in error.problems {
      add(.problem, problem.message, hint: problem.hint, isDenied: problem.isDenied)
    }
  }
}

// MARK: Keys, files and the transport

extension ConfigurationCheck {
  /// What the streams cost while nothing happens, since licences count calls.
  private mutating func estimateCalls(_ configuration: Configuration) {
    let counts = configuration.quietCalls(in: FeedRules.month)
    let total = MetricText.count(counts.total)
    add(.fine, "about \(total) calls to Box in 30 days at rest: \(MetricText.calls(counts))")
    let perMinute = Double(counts.total) / (FeedRules.month / .seconds(60))
    guard let limit = configuration.box.callsPerMinute, perMinute > Double(limit) * 0.9 else { return }
    add(
      .note,
      "calls_per_minute in [box] is \(limit): the streams need about \(Int(perMinute.rounded(.up))) at rest",
      hint: "Raise it, or collect with fewer streams: see box-eventd(8), CALLS AND LICENCES.")
  }

  /// Keys that are set and have no effect with this method.
  private mutating func noteUnused(_ configuration: Configuration) {
    for kind in SecretFile.Kind.allCases
    where configuration.configuredPath(kind) != nil && !configuration.secretKinds.contains(kind) {
      let key = ConfigurationKeys.key(of: kind)?.key.name ?? kind.rawValue
      add(
        .note, "\(key) is not used: method is \"\(configuration.auth.method.rawValue)\"",
        hint: "Remove it, or choose the method it belongs to.")
    }
  }

  /// With method oauth2 nothing can be read before the first login.
  private mutating func noteMissingLogin(_ configuration: Configuration, _ path: String) {
    guard configuration.auth.method == .oauth2,
      access("\(configuration.state.directory)/\(RefreshTokenFile.name)", F_OK) != 0, errno == ENOENT
    else { return }
    add(.note, "no login yet", hint: "Run: \(Configuration.command("login", of: path)).")
  }

  /// Drop-ins by another name, and variables of the environment that name no directory.
  private mutating func noteIgnored(_ path: String, _ environment: [String: String]) {
    for file in ConfigurationFile.ignored(path) {
      add(
        .note, "\(file) is ignored", hint: "Only names that end in .toml and don't begin with a dot are read."
      )
    }
    for name in ["STATE", "RUNTIME", "SPOOL", "CREDENTIALS"].map({ $0 + "_DIRECTORY" }) {
      guard let value = environment[name], !value.isEmpty, !value.hasPrefix("/") else { continue }
      add(.note, "$\(name) is ignored: not an absolute path", hint: "Set it to a path that begins with /.")
    }
  }

  /// From a shell the limit is another one than that of the unit.
  private mutating func checkOpenFiles(streams: Int, _ isReload: Bool) {
    do throws(DaemonFailure) {
      _ = try OpenFileLimit.limit(streams: streams)
    } catch {
      add(isReload ? .problem : .note, "here \(error.message)", hint: error.hint)
    }
  }

  private mutating func checkTransport(_ configuration: Configuration, _ environment: [String: String]) {
    do throws(ClientSettingsError) {
      _ = try configuration.box.trustRoots()
      if let path = configuration.box.caFile { add(.fine, "[box] ca_file, \(path)") }
    } catch {
      add(.problem, error.message, hint: error.hint)
    }
    do throws(ClientSettingsError) {
      if configuration.box.proxy == nil { _ = try ProxySettings(environment: environment) }
    } catch {
      add(.problem, error.message, hint: error.hint)
    }
  }
}
