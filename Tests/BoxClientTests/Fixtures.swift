import BoxEvents
import NIOPosix
import ScriptedHTTP
import Synchronization
import Testing

@testable import BoxClient

/// A transport with a test's settings, shut down afterwards.
func withTransport<Value>(
  _ adjust: (inout TransportSettings) -> Void = { _ in }, _ body: (BoxTransport) async throws -> Value
) async throws -> Value {
  var settings = TransportSettings(version: "1.2.3")
  adjust(&settings)
  let transport = BoxTransport(settings: settings, group: MultiThreadedEventLoopGroup.singleton)
  do {
    let value = try await body(transport)
    await transport.shutdown()
    return value
  } catch {
    await transport.shutdown()
    throw error
  }
}

/// A source against a server that is both API and realtime server, with the token `token-1`.
func source(
  _ transport: BoxTransport, _ server: ScriptedServer, signIn: (any SignIn)? = nil, asUser: String? = nil,
  clock: AccessTokens.Clock = .continuous,
  observer: @escaping CallObserver = { _ in }
) throws -> BoxSource {
  try BoxSource(
    transport: transport, tokens: AccessTokens(signIn: signIn ?? CountingSignIn(), clock: clock, seed: 1),
    settings: FeedSettings(apiURL: try webURL(server.origin + "/2.0"), asUser: asUser),
    observer: observer)
}

/// A URL that the test knows to be valid.
func webURL(_ text: String) throws -> WebURL {
  try #require(WebURL(text))
}

/// The failure of a call; nil if it succeeded.
func failure<Value>(_ body: () async throws(FeedFailure) -> Value) async -> FeedFailure? {
  do throws(FeedFailure) {
    _ = try await body()
    return nil
  } catch {
    return error
  }
}

/// Hands out `token-1`, `token-2`, …
final class CountingSignIn: SignIn {
  let count = Mutex(0)
  let lifetime: Duration?

  init(lifetime: Duration? = .seconds(3600)) {
    self.lifetime = lifetime
  }

  func signIn() async throws(FeedFailure) -> AccessToken {
    let number = count.withLock { count in
      count += 1
      return count
    }
    guard let token = AccessToken("token-\(number)", lifetime: lifetime) else { throw .cancelled }
    return token
  }
}

/// A sign-in whose attempts wait until the test ends them.
final class HeldSignIn: SignIn {
  private struct State {
    var attempts: [CheckedContinuation<Result<AccessToken, FeedFailure>, Never>] = []
    var started = 0
    var waiters: [(Int, AsyncStream<Never>.Continuation)] = []
  }

  private let state = Mutex(State())

  var started: Int { state.withLock { $0.started } }

  func signIn() async throws(FeedFailure) -> AccessToken {
    let result: Result<AccessToken, FeedFailure> = await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        state.started += 1
        state.attempts.append(continuation)
        let started = state.started
        let ready = state.waiters.filter { $0.0 <= started }
        state.waiters.removeAll { $0.0 <= started }
        return ready
      }
      for waiter in ready { waiter.1.finish() }
    }
    return try result.get()
  }

  /// Returns when so many attempts have begun, or the test is cancelled.
  func waitForAttempts(_ count: Int) async {
    let (there, waiter) = AsyncStream.makeStream(of: Never.self)
    state.withLock { state in
      if state.started >= count { waiter.finish() } else { state.waiters.append((count, waiter)) }
    }
    for await _ in there {}
  }

  func succeed(_ text: String, lifetime: Duration? = .seconds(3600)) {
    guard let token = AccessToken(text, lifetime: lifetime) else { return }
    end(.success(token))
  }

  func fail(_ failure: FeedFailure) { end(.failure(failure)) }

  private func end(_ result: Result<AccessToken, FeedFailure>) {
    let attempt = state.withLock { $0.attempts.isEmpty ? nil : $0.attempts.removeFirst() }
    attempt?.resume(returning: result)
  }
}

/// A value that many tasks change.
final class Shared<Value: Sendable>: Sendable {
  let value: Mutex<Value>

  init(_ value: Value) { self.value = Mutex(value) }
}

/// A clock that only a test moves.
final class ManualTime: Sendable {
  private let elapsed = Mutex(Duration.seconds(1000))

  func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }

  /// A sleep returns at once and advances this clock by its length.
  var clock: AccessTokens.Clock {
    AccessTokens.Clock(
      now: { self.elapsed.withLock { $0 } },
      sleep: { duration in
        try Task.checkCancellation()
        self.advance(duration)
        await Task.yield()
      })
  }
}

/// A refresh token store in memory that logs what is done in which order.
final class MemoryTokenStore: RefreshTokenStore {
  struct Broken: Error {}
  struct State {
    var token: Secret<String>?
    var log: [String] = []
    var failsToProve = false
    var failsToSave = false
    var isTaken = false
    /// Another process doesn't give it back.
    var isKept = false
  }

  let state: Mutex<State>

  init(_ token: String?) {
    state = Mutex(State(token: token.map { Secret($0) }))
  }

  var token: String? { state.withLock { $0.token?.reveal() } }
  var log: [String] { state.withLock { $0.log } }

  func note(_ text: String) { state.withLock { $0.log.append(text) } }

  func take() async throws -> (@Sendable () -> Void)? {
    if state.withLock({ $0.isKept }) { return nil }
    while state.withLock({ state in
      defer { state.isTaken = true }
      return state.isTaken
    }) {
      try Task.checkCancellation()
      await Task.yield()
    }
    return { self.state.withLock { $0.isTaken = false } }
  }

  func load() async throws -> Secret<String>? { state.withLock { $0.token } }

  func proveWritable() async throws {
    try state.withLock { state in
      state.log.append("prove")
      if state.failsToProve { throw Broken() }
    }
  }

  func save(_ refreshToken: Secret<String>) async throws {
    try state.withLock { state in
      state.log.append("save \(refreshToken.reveal())")
      if state.failsToSave { throw Broken() }
      state.token = refreshToken
    }
  }
}

extension AccessTokens {
  /// Returns when no sign-in runs.
  func awaitRenewal() async { await renewal?.value }
}
