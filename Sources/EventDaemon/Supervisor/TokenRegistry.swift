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
    /// Those that learn from Box whose tokens they get.
    var owned: [Subject?: OwnedSignIn] = [:]
  }

  private let state: Mutex<State>
  private let environment: [String: String]
  private let endpoint: TokenEndpoint
  private let transport: BoxTransport
  private let observer: CallObserver
  /// Where the method is `oauth2`, which needs a restart to change.
  private let refreshTokenFile: RefreshTokenFile?
  private let logger: Logger
  /// Called when a sign-in works again.
  private let onRecovery: @Sendable () -> Void
  private let added = AsyncStream.makeStream(of: AccessTokens.self)

  /// - Parameters:
  ///   - state: the directory of a refresh token.
  ///   - observer: called at each stage of a call for a token or its owner.
  init(
    _ configuration: Configuration, _ environment: [String: String], _ transport: BoxTransport,
    state directory: DiskDirectory, logger: Logger,
    observer: @escaping CallObserver = { _ in },
    onRecovery: @escaping @Sendable () -> Void = {}
  ) throws(DaemonFailure) {
    state = Mutex(State(configuration: configuration))
    self.environment = environment
    self.transport = transport
    self.observer = observer
    endpoint = try TokenEndpoint(transport, configuration, observer)
    refreshTokenFile = configuration.auth.method == .oauth2 ? try RefreshTokenFile(directory) : nil
    self.logger = logger
    self.onRecovery = onRecovery
  }

  /// The tokens of a subject; made at the first call.
  func tokens(for subject: Subject?) -> AccessTokens {
    state.withLock { state in
      if let tokens = state.tokens[subject] { return tokens }
      let log = SignInLog(logger: logger, subject: subject)
      let stages = SignInStages()
      let signIn = signIn(&state, subject, stages)
      let tokens = AccessTokens(signIn: signIn, stages: stages) { [onRecovery] in
        if log.observe($0) { onRecovery() }
      }
      state.tokens[subject] = tokens
      added.continuation.yield(tokens)
      return tokens
    }
  }

  /// Whose feed a stream gets with its subject's tokens, where only Box knows: a user's id, or for the enterprise's
  /// events the enterprise's. Nil where the identity tells, and as long as Box hasn't told.
  func owner(of feed: FeedIdentity) -> String? {
    guard feed.asUser == nil, let owner = state.withLock({ $0.owned[feed.subject] })?.owner else {
      return nil
    }
    if feed.type.hasRealtimeServer { return owner.user }
    return feed.subject == nil ? owner.enterprise : nil
  }

  /// Uses the files of a new configuration from now on, and reads the secrets again. Subjects without a stream
  /// don't sign in any more.
  func reload(_ configuration: Configuration) async {
    let subjects = Set(configuration.streams.map { configuration.subject(of: $0) })
    let (kept, unused) = state.withLock { state in
      state.configuration = configuration
      let unused = state.tokens.filter { !subjects.contains($0.key) }
      state.tokens = state.tokens.filter { subjects.contains($0.key) }
      state.owned = state.owned.filter { subjects.contains($0.key) }
      return (Array(state.tokens.values), Array(unused.values))
    }
    for tokens in unused { await tokens.stop(within: Self.answerLimit) }
    for tokens in kept { await tokens.reload() }
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
    for tokens in all where await tokens.isRenewing {
      logger.log(
        level: .warning, "stopped without Box's answer to a renewal", id: .signInRefused,
        metadata: [
          "detail": "Box didn't answer within \(Self.answerLimit.components.seconds) s",
          "hint": "If the next start can't sign in, run: box-eventd login.",
        ])
    }
  }

  private func signIn(
    _ state: inout State, _ subject: Subject?, _ stages: SignInStages
  ) -> any SignIn {
    let endpoint = endpoint.observed(by: stages.observe)
    let signIn = signIn(state.configuration.auth, subject, endpoint)
    if subject?.kind == .user { return signIn }
    let owned = OwnedSignIn(
      signIn, transport: transport, apiURL: state.configuration.box.apiURL,
      observer: { [observer] in
        observer($0)
        stages.observe($0)
      },
      onUnknown: { [logger] failure in
        logger.debug("whose tokens these are is not known", metadata: [:].explaining(failure))
      })
    state.owned[subject] = owned
    return owned
  }

  private func signIn(
    _ auth: Configuration.Auth, _ subject: Subject?, _ endpoint: TokenEndpoint
  ) -> any SignIn {
    let clientID = auth.clientID ?? ""
    switch auth.method {
    case .clientCredentials:
      // The configuration's check has required a subject.
      guard let subject else {
        return NoSignIn(message: "subject not configured", hint: "Set subject in [auth].")
      }
      return ClientCredentials(
        endpoint: endpoint, clientID: clientID, clientSecret: secret(.clientSecret), subject: subject)
    case .jwt:
      return JWTSignIn(endpoint: endpoint, settingsFile: secret(.jwtSettings), subject: subject)
    case .oauth2:
      guard let refreshTokenFile else {
        return NoSignIn(message: "method not in force yet", hint: "Run: systemctl restart box-eventd.")
      }
      return RefreshTokenSignIn(
        endpoint: endpoint, clientID: clientID, clientSecret: secret(.clientSecret), store: refreshTokenFile)
    case .accessToken:
      return ProvidedToken(secret(.accessToken)) { [self] in
        let configuration = state.withLock { $0.configuration }
        return (try? configuration.secretFile(.accessToken, environment: environment))?
          .renewalHint(unit: configuration.unit)
          ?? "Run: box-eventd check."
      }
    }
  }

  /// Reads the secret from the file or credential of the current configuration.
  private func secret(_ kind: SecretFile.Kind) -> SecretProvider {
    { [self] in
      let configuration = state.withLock { $0.configuration }
      let found = try DaemonFailure.mapping { () throws(ConfigurationError) in
        try configuration.secret(kind, environment: environment)
      }
      guard let secret = found else {
        throw DaemonFailure(.configuration, "\(kind.rawValue) not configured", hint: "Run: box-eventd check.")
      }
      return secret
    }
  }
}

/// The sign-in of a stream whose configuration lacks what its method needs.
private struct NoSignIn: SignIn {
  let message: String
  let hint: String

  func signIn() async throws(FeedFailure) -> AccessToken {
    throw FeedFailure(.signInRefused, message, hint: hint)
  }
}
