import BoxEvents
import Logging
import Spool
import Synchronization
import Systemd

/// The texts of a configuration's files, or why they can't be read.
typealias ConfigurationContents = Result<[ConfigurationFile], ConfigurationError>

extension ConfigurationFile {
  static func contents(_ path: String) -> ConfigurationContents {
    do throws(ConfigurationError) {
      return .success(try readAll(path))
    } catch {
      return .failure(error)
    }
  }
}

/// How the configuration on disk differs from the one in force, shared by the reloads, the watch and the status.
final class ConfigurationDifference: Sendable {
  private struct State {
    /// What was read last, at the start or by a reload, also where not all of it could be applied.
    var configuration: Configuration
    /// What of that could not be applied.
    var ofReload: String?
    /// What the last reload has found, also where it was rejected, and then what was said of it.
    var contents: ConfigurationContents?
    var rejection: String?
    /// How the files differ from what was read last.
    var ofDisk: String?
  }

  private let state: Mutex<State>

  init(_ configuration: Configuration) { state = Mutex(State(configuration: configuration)) }

  /// A part of a sentence, to follow "configuration on disk"; nil where it is the same.
  var text: String? { state.withLock { $0.ofDisk ?? $0.ofReload } }

  /// The end of a reload.
  /// - Parameter configuration: what was read; nil where it was rejected.
  func set(_ text: String?, of contents: ConfigurationContents, _ configuration: Configuration?) {
    state.withLock { state in
      if let configuration { (state.configuration, state.ofReload) = (configuration, text) }
      state.rejection = configuration == nil ? text : nil
      (state.contents, state.ofDisk) = (contents, state.rejection)
    }
  }

  fileprivate func isKnown(_ contents: ConfigurationContents) -> Bool {
    state.withLock { $0.contents == contents }
  }

  /// The watch has found other contents than the last reload; nil where they are not valid, for `reason`.
  fileprivate func found(_ configuration: Configuration?, else reason: String) {
    state.withLock { state in
      let isSame = configuration == state.configuration
      state.ofDisk = isSame ? nil : configuration == nil ? reason : "has changed: reload to use it"
    }
  }

  /// The watch has found what the last reload has found.
  fileprivate func foundNothing() { state.withLock { $0.ofDisk = $0.rejection } }
}

/// Looks at the configuration on disk. `systemctl reload` begins with a check, and one that fails is all that happens: the
/// daemon doesn't hear of it, and the next start would fail.
actor ConfigurationWatch {
  private let path: String
  private let environment: [String: String]
  private let difference: ConfigurationDifference
  private let thread: DiskThread
  private let logger: Logger
  private var last: ConfigurationContents?
  private var compared: ConfigurationContents?

  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// - Parameter thread: what it reads on.
  init(
    _ path: String, environment: [String: String], _ difference: ConfigurationDifference, thread: DiskThread,
    logger: Logger
  ) {
    self.path = path
    self.environment = environment
    self.difference = difference
    self.thread = thread
    self.logger = logger
  }

  /// Looks until the task is cancelled. A look that hangs, as its disk does, delays no end.
  nonisolated func run() async {
    while !Task.isCancelled {
      Task { await look() }
      try? await QuietTime.next()
    }
  }

  /// What changes between two looks is perhaps being edited.
  func look() {
    let contents = ConfigurationFile.contents(path)
    defer { last = contents }
    guard contents == last, contents != compared else { return }
    compared = contents
    guard !difference.isKnown(contents) else { return difference.foundNothing() }
    let reason = "is not valid: run \(Configuration.checkCommand(of: path))"
    do throws(ConfigurationError) {
      difference.found(try Configuration.load(path, environment: environment), else: reason)
    } catch {
      difference.found(nil, else: reason)
      guard let problem = error.problems.first else { return }
      logger.log(
        level: .warning, "configuration on disk is not valid; the one in force stays",
        id: .configurationRejected, metadata: [:].explaining(problem))
    }
  }
}
