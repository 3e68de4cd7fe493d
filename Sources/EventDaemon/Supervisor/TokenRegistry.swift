import BoxClient
import BoxEvents
import Logging
import Spool
import Synchronization
import Systemd

/// The access tokens of one process: one source for each subject, shared by all streams that read as it.
final class TokenRegistry: Sendable {
  private struct State {
    var configuration: Configuration
    var tokens: [Subject?: AccessTokens] = [:]
  }

  private let state: Mutex<State>
  private let environment: [String: String]
  private let endpoint: TokenEndpoint
  private let refreshTokens: any RefreshTokenStore
  private let logger: Logger
  private let added = AsyncStream.makeStream(of: AccessTokens.self)

  init(
    configuration: Configuration, environment: [String: String], endpoint: TokenEndpoint,
    refreshTokens: any RefreshTokenStore, logger: Logger
  ) {
    state = Mutex(State(configuration: configuration))
    self.environment = environment
    self.endpoint = endpoint
    self.refreshTokens = refreshTokens
    self.logger = logger
  }

  /// The tokens of a subject; made at the first call.
  func tokens(for subject: Subject?) -> AccessTokens {
    state.withLock { state in
      if let tokens = state.tokens[subject] { return tokens }
      let log = SignInLog(logger: logger, subject: subject)
      let tokens = AccessTokens(signIn: signIn(state.configuration.auth, subject)) { log.observe($0) }
      state.tokens[subject] = tokens
      added.continuation.yield(tokens)
      return tokens
    }
  }

  /// Uses the files of a new configuration from now on, and reads the secrets again.
  func reload(_ configuration: Configuration) async {
    let all = state.withLock { state in
      state.configuration = configuration
      return Array(state.tokens.values)
    }
    for tokens in all { await tokens.reload() }
  }

  /// Renews all tokens before they expire, until the task is cancelled; then ends signing in.
  /// - Parameter onWait: called if the end has to wait for an answer, with how long at most.
  func run(onWait: (Duration) -> Void) async {
    await withDiscardingTaskGroup { group in
      await withTaskCancellationHandler {
        for await tokens in added.stream { group.addTask { await tokens.run() } }
      } onCancel: {
        added.continuation.finish()
      }
      group.cancelAll()
    }
    await stop(onWait: onWait)
  }

  /// Box's answer to a spent refresh token is waited for this long at the end: its successor must reach the disk.
  private static let answerLimit = Duration.seconds(15)

  /// Ends signing in, also in a cancelled task.
  func stop(onWait: (Duration) -> Void = { _ in }) async {
    let all = state.withLock { Array($0.tokens.values) }
    for tokens in all where await tokens.isRenewing { onWait(Self.answerLimit) }
    await withDiscardingTaskGroup { group in
      for tokens in all { group.addTask { await tokens.stop(within: Self.answerLimit) } }
    }
  }

  private func signIn(_ auth: Configuration.Auth, _ subject: Subject?) -> any SignIn {
    let clientID = auth.clientID ?? ""
    switch auth.method {
    case .clientCredentials:
      // The configuration's check has required a subject.
      guard let subject else { return NoSubject() }
      return ClientCredentials(
        endpoint: endpoint, clientID: clientID, clientSecret: secret(.clientSecret), subject: subject)
    case .jwt:
      return JWTSignIn(endpoint: endpoint, settingsFile: secret(.jwtSettings), subject: subject)
    case .oauth2:
      return RefreshTokenSignIn(
        endpoint: endpoint, clientID: clientID, clientSecret: secret(.clientSecret), store: refreshTokens)
    case .accessToken:
      return ProvidedToken(secret(.accessToken))
    }
  }

  /// Reads the secret from the file or credential of the current configuration.
  private func secret(_ kind: SecretFile.Kind) -> SecretProvider {
    { [self] in
      let configuration = state.withLock { $0.configuration }
      guard let secret = try configuration.secret(kind, environment: environment) else {
        throw DaemonFailure(.configuration, "\(kind.rawValue) not configured", hint: "Run: box-eventd check.")
      }
      return secret
    }
  }
}

/// The sign-in of a stream without a subject.
private struct NoSubject: SignIn {
  func signIn() async throws(FeedFailure) -> AccessToken {
    throw FeedFailure(.signInRefused, "subject not configured", hint: "Set subject in [auth].")
  }
}

/// Logs signing in: a line for each change; repeated failures at every power of two.
private final class SignInLog: Sendable {
  private let logger: Logger
  private let state = Mutex((failures: 0, hasSignedIn: false))

  init(logger: Logger, subject: Subject?) {
    var logger = logger
    if let subject { logger[metadataKey: "subject"] = "\(subject)" }
    self.logger = logger
  }

  func observe(_ event: AccessTokens.Event) {
    switch event {
    case .signedIn(let lifetime):
      let previous = state.withLock { state in
        defer { state = (0, true) }
        return state
      }
      guard previous.failures > 0 || !previous.hasSignedIn else {
        logger.debug("access token renewed")
        return
      }
      let seconds = lifetime.map { "\($0.components.seconds)" } ?? "unknown"
      logger.log(
        level: .notice, "signed in to Box", id: .signedIn, metadata: ["lifetime_seconds": "\(seconds)"])
    case .failed(let failure):
      let count = state.withLock { state in
        state.failures += 1
        return state.failures
      }
      guard count.nonzeroBitCount == 1 else { return }
      logger.log(
        level: .warning, "cannot sign in", id: .signInRefused,
        metadata: ["times": "\(count)"].explaining(failure))
    }
  }
}

/// The OAuth 2 refresh token in the state directory, kept like a position: in two blocks, so that the
/// old one stays intact while the new one is written.
actor StoredRefreshToken: RefreshTokenStore {
  static let name = "refresh_token"

  private let state: DiskDirectory

  init(_ state: DiskDirectory) { self.state = state }

  func load() async throws -> Secret<String>? {
    guard let file = try TwoBlockFile(Self.name, in: state) else { return nil }
    defer { file.close() }
    let line = file.content?.split(separator: "\n").first { $0.hasPrefix("refresh_token: ") }
    return line.map { Secret(String($0.dropFirst("refresh_token: ".count))) }
  }

  func proveWritable() async throws {
    var file = try TwoBlockFile(making: Self.name, in: state)
    defer { file.close() }
    try file.proveWritable()
  }

  func save(_ refreshToken: Secret<String>) async throws {
    var file = try TwoBlockFile(making: Self.name, in: state)
    defer { file.close() }
    try file.write("refresh_token: \(refreshToken.reveal())\n")
  }
}
