package import BoxEvents

/// The access token of one subject, shared by all its streams.
///
/// However many streams ask, one sign-in runs at a time and all of them get its outcome; a stream that
/// stops waiting doesn't stop it. A token is renewed ahead of its expiry, and handed out meanwhile. After a
/// failed sign-in everyone gets its failure at once until the back-off is over, so that thousands of streams
/// don't hammer the token endpoint.
package actor AccessTokens {
  /// What an operator wants to know about signing in.
  package enum Event: Sendable {
    /// A new token, with its lifetime if it is known.
    case signedIn(lifetime: Duration?)
    /// No token; the next attempt comes after the failure's `retryAfter`.
    case failed(FeedFailure)
  }

  /// A clock that never jumps, unlike the time of day. Tests move their own.
  package struct Clock: Sendable {
    /// Time since some fixed moment.
    let now: @Sendable () -> Duration
    /// Returns early only when the task is cancelled.
    let sleep: @Sendable (Duration) async throws -> Void

    package static let continuous: Clock = {
      let start = ContinuousClock.now
      return Clock(now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) })
    }()
  }

  private struct Held {
    var token: AccessToken
    /// When it was asked for, so that the way back from the server doesn't make it younger.
    var since: Duration

    /// When its lifetime ends; nil if that is unknown.
    var expiry: Duration? { token.lifetime.map { since + $0 } }
    /// Five minutes before the expiry, and not before four fifths of the lifetime.
    var renewal: Duration? { token.lifetime.map { since + AccessTokens.renewalAge(lifetime: $0) } }
  }

  /// How old a token is when it is renewed.
  package static func renewalAge(lifetime: Duration) -> Duration {
    lifetime - min(.seconds(300), lifetime / 5)
  }

  private let signIn: any SignIn
  private let stages: SignInStages
  private let clock: Clock
  private let onEvent: @Sendable (Event) -> Void

  private var held: Held?
  private(set) var renewal: Task<Void, Never>?
  /// No sign-in begins any more.
  private(set) var isStopped = false
  private var waiters: [Int: CheckedContinuation<Result<AccessToken, FeedFailure>, Never>] = [:]
  private var nextWaiter = 0
  /// The failure of the last sign-in, and when the next may begin; nil after a success.
  private var failed: (failure: FeedFailure, retryAt: Duration)?
  private var backoff = Backoff(base: .seconds(2), cap: .seconds(300))
  private var jitter: Jitter
  /// When a refused token last led to a renewal.
  private var lastForced: Duration?

  /// Between two renewals that were forced by a token refused from the start.
  private static let forcedSpacing = Duration.seconds(60)

  /// - Parameters:
  ///   - stages: observes the stages of the sign-in's calls.
  ///   - seed: of the back-off's jitter.
  package init(
    signIn: any SignIn, stages: SignInStages = SignInStages(), clock: Clock = .continuous,
    seed: UInt64 = .random(in: 0...(.max)),
    onEvent: @escaping @Sendable (Event) -> Void = { _ in }
  ) {
    self.signIn = signIn
    self.stages = stages
    self.clock = clock
    self.jitter = Jitter(seed: seed)
    self.onEvent = onEvent
  }

  /// A token that is valid as far as its age tells.
  /// - Parameter observer: called at each stage of a sign-in that has to be waited for, but for its end.
  /// - Throws: the failure of the sign-in, at once while backing off, with the time left as `retryAfter`.
  package func token(
    _ observer: @escaping CallObserver = { _ in }
  ) async throws(FeedFailure) -> AccessToken {
    guard let held, !isExpired(held) else { return try await renewed(observer) }
    if let renewal = held.renewal, clock.now() >= renewal, !isRenewing, backoffFailure == nil {
      startRenewal()
    }
    return held.token
  }

  /// Another token than one that was refused.
  ///
  /// A renewal is forced only for the token in use, and at most once a minute for tokens that Box has never
  /// accepted. A token that has worked before has plainly expired or been revoked.
  /// - Throws: `refusal`, the answer to the refused token, if there is no other; or the failure of the
  ///   sign-in.
  func replacement(
    for refused: AccessToken, refusal: FeedFailure, _ observer: @escaping CallObserver = { _ in }
  ) async throws(FeedFailure) -> AccessToken {
    if let held, held.token.text != refused.text, !isExpired(held) { return held.token }
    if !isRenewing {
      if let failure = backoffFailure { throw failure }
      let now = clock.now()
      if !refused.hasWorked, let lastForced, now - lastForced < Self.forcedSpacing {
        // That doesn't prove the credentials wrong: `retryAfter` is when a renewal may be forced again.
        var refusal = refusal
        refusal.retryAfter = refusal.retryAfter ?? lastForced + Self.forcedSpacing - now
        throw refusal
      }
      lastForced = now
    }
    let token = try await renewed(observer)
    guard token.text != refused.text else { throw refusal }
    return token
  }

  /// Keeps the token fresh, also while no stream asks. Runs until it is stopped or cancelled.
  package func run() async {
    while !Task.isCancelled, !isStopped {
      let pause = timeUntilRenewal()
      if pause <= .zero, !isRenewing { startRenewal() }
      // In steps: a reload or another token may have changed what is due.
      let step = min(max(pause, .seconds(1)), .seconds(30))
      guard (try? await clock.sleep(step)) != nil else { return }
    }
  }

  /// The secrets may have changed: ends the back-off. The next sign-in reads them again.
  package func reload() {
    let hadFailed = failed != nil
    failed = nil
    backoff.reset()
    lastForced = nil
    if hadFailed, !isRenewing { startRenewal() }
  }

  /// A sign-in is under way.
  package var isRenewing: Bool { renewal != nil }

  /// Ends signing in: before the process ends. One that spends a refresh token is waited for until its successor is
  /// saved, in a cancelled task too, but not longer than `limit`; any other one is cancelled.
  package func stop(within limit: Duration) async {
    isStopped = true
    guard let renewal else { return }
    renewal.cancel()
    await finish(within: limit, sleep: clock.sleep) { await renewal.value }
  }

  // MARK: Renewal

  private func renewed(_ observer: @escaping CallObserver) async throws(FeedFailure) -> AccessToken {
    if Task.isCancelled || isStopped { throw .cancelled }
    if !isRenewing {
      if let failure = backoffFailure { throw failure }
      startRenewal()
    }
    return try await stages.observed(by: observer) { () async throws(FeedFailure) in
      try await outcome().get()
    }
  }

  /// Not a child of the caller's task: its cancellation must not waste a sign-in that others wait for.
  private func startRenewal() {
    guard !isStopped else { return }
    let since = clock.now()
    renewal = Task { [signIn] in
      let result: Result<AccessToken, FeedFailure>
      do throws(FeedFailure) { result = .success(try await signIn.signIn()) } catch {
        result = .failure(error)
      }
      finishRenewal(result, since: since)
    }
  }

  private func finishRenewal(_ result: Result<AccessToken, FeedFailure>, since: Duration) {
    renewal = nil
    var result = result
    switch result {
    case .success(let token):
      held = Held(token: token, since: since)
      failed = nil
      backoff.reset()
      onEvent(.signedIn(lifetime: token.lifetime))
    case .failure(let failure) where failure.code == .cancelled: break
    case .failure(var failure):
      let pause = backoff.next(&jitter, retryAfter: failure.retryAfter)
      failure.retryAfter = pause
      failed = (failure, clock.now() + pause)
      result = .failure(failure)
      onEvent(.failed(failure))
    }
    for waiter in waiters.values { waiter.resume(returning: result) }
    waiters = [:]
  }

  private func outcome() async -> Result<AccessToken, FeedFailure> {
    let id = nextWaiter
    nextWaiter += 1
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if Task.isCancelled {
          continuation.resume(returning: .failure(.cancelled))
        } else {
          waiters[id] = continuation
        }
      }
    } onCancel: {
      Task { await self.abandon(id) }
    }
  }

  private func abandon(_ id: Int) { waiters.removeValue(forKey: id)?.resume(returning: .failure(.cancelled)) }

  // MARK: Times

  /// The failure to report while backing off, with the time left; nil if a sign-in may begin.
  private var backoffFailure: FeedFailure? {
    guard let failed else { return nil }
    let pause = failed.retryAt - clock.now()
    guard pause > .zero else { return nil }
    var failure = failed.failure
    failure.retryAfter = max(.seconds(1), pause)
    return failure
  }

  private func isExpired(_ held: Held) -> Bool { held.expiry.map { clock.now() >= $0 } ?? false }

  private func timeUntilRenewal() -> Duration {
    if let wait = backoffFailure?.retryAfter { return wait }
    guard let held else { return .zero }
    return held.renewal.map { $0 - clock.now() } ?? .seconds(3600)
  }
}
