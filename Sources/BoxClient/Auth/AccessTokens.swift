package import BoxEvents

/// The access token of one subject, shared by all its streams.
///
/// However many streams ask, one sign-in is under way at a time and all of them get its outcome; a
/// stream that stops waiting doesn't stop it. A token is renewed ahead of its expiry; a token that
/// still works is handed out meanwhile. After a failed sign-in everyone is told so at once until
/// the back-off is over, so that thousands of streams don't hammer the token endpoint.
package actor AccessTokens {
  private struct Held {
    var token: AccessToken
    /// When it was asked for, so that the way back from the server doesn't make it younger.
    var since: Duration
  }

  private let signIn: any SignIn
  private let onEvent: @Sendable (SignInEvent) -> Void
  private let time: Timekeeper

  private var held: Held?
  private var isRenewing = false
  private var waiters: [Int: CheckedContinuation<Result<AccessToken, FeedFailure>, Never>] = [:]
  private var nextWaiter = 0
  private var lastFailure: FeedFailure?
  private var backoff = Backoff(base: .seconds(2), cap: .seconds(300))
  private var jitter: Jitter
  /// No attempt before this.
  private var notBefore = Duration.zero
  /// When a refused token last led to a renewal.
  private var lastForced: Duration?

  /// Between two renewals that were forced by a token refused from the start.
  package static let forcedSpacing = Duration.seconds(60)

  /// - Parameter seed: of the back-off's jitter.
  package init(
    signIn: any SignIn, time: Timekeeper = .continuous, seed: UInt64 = .random(in: 0...(.max)),
    onEvent: @escaping @Sendable (SignInEvent) -> Void = { _ in }
  ) {
    self.signIn = signIn
    self.time = time
    self.jitter = Jitter(seed: seed)
    self.onEvent = onEvent
  }

  /// A token that is valid as far as its age tells.
  /// - Throws: the failure of the sign-in, at once while backing off, with the time left as `retryAfter`.
  package func token() async throws(FeedFailure) -> AccessToken {
    if let held, !isExpired(held) {
      if renewalIsDue(held), !isRenewing, !isBackingOff { startRenewal() }
      return held.token
    }
    return try await renewed()
  }

  /// Another token than one that was refused.
  ///
  /// A renewal is forced only for the token in use, and at most once a minute for tokens that Box has never
  /// accepted. One that has worked since its own renewal has plainly expired or been revoked.
  /// - Throws: `refusal`, the answer to the refused token, where there is no other; or the failure of the
  ///   sign-in.
  func replacement(for refused: AccessToken, refusal: FeedFailure) async throws(FeedFailure) -> AccessToken {
    var refusal = refusal
    if let held, held.token.text != refused.text, !isExpired(held) { return held.token }
    if !isRenewing {
      if isBackingOff { throw failureNow() }
      if !refused.hasWorked, let lastForced, time.now() - lastForced < Self.forcedSpacing {
        // Not the last word on the credentials: the next minute may force again.
        refusal.retryAfter = refusal.retryAfter ?? lastForced + Self.forcedSpacing - time.now()
        throw refusal
      }
      lastForced = time.now()
    }
    let token = try await renewed()
    guard token.text != refused.text else { throw refusal }
    return token
  }

  /// Keeps the token fresh, also while no stream asks. Runs until cancelled.
  package func run() async {
    while !Task.isCancelled {
      let pause = timeUntilDue()
      if pause <= .zero, !isRenewing { startRenewal() }
      // In steps: a reload or another token may have changed what is due.
      let step = min(max(pause, .seconds(1)), .seconds(30))
      guard (try? await time.sleep(step)) != nil else { return }
    }
  }

  /// New secrets are there: the next sign-in may come at once, and reads them.
  package func reload() {
    let failed = lastFailure != nil
    lastFailure = nil
    backoff.reset()
    notBefore = .zero
    lastForced = nil
    if failed, !isRenewing { startRenewal() }
  }

  /// Returns when no sign-in is under way: before the process ends, so that a spent refresh token's
  /// successor is saved.
  package func awaitRenewal() async {
    if isRenewing { _ = await outcome() }
  }

  // MARK: Renewal

  private func renewed() async throws(FeedFailure) -> AccessToken {
    if Task.isCancelled { throw .cancelled }
    if !isRenewing {
      if isBackingOff { throw failureNow() }
      startRenewal()
    }
    return try await outcome().get()
  }

  /// Not a child of the caller's task: its cancellation must not waste a sign-in others wait for.
  private func startRenewal() {
    isRenewing = true
    let since = time.now()
    Task { [signIn] in
      let result: Result<AccessToken, FeedFailure>
      do throws(FeedFailure) { result = .success(try await signIn.signIn()) } catch {
        result = .failure(error)
      }
      finishRenewal(result, since: since)
    }
  }

  private func finishRenewal(_ result: Result<AccessToken, FeedFailure>, since: Duration) {
    isRenewing = false
    var result = result
    switch result {
    case .success(let token):
      held = Held(token: token, since: since)
      lastFailure = nil
      backoff.reset()
      notBefore = .zero
      onEvent(.signedIn(lifetime: token.lifetime))
    case .failure(let failure) where failure.code == .cancelled: break
    case .failure(var failure):
      backOff(failure)
      failure.retryAfter = notBefore - time.now()
      result = .failure(failure)
      onEvent(.failed(failure))
    }
    let waiting = waiters.values
    waiters = [:]
    for waiter in waiting { waiter.resume(returning: result) }
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

  private func abandon(_ id: Int) {
    waiters.removeValue(forKey: id)?.resume(returning: .failure(.cancelled))
  }

  // MARK: Times

  private func backOff(_ failure: FeedFailure) {
    lastFailure = failure
    notBefore = time.now() + backoff.next(&jitter, retryAfter: failure.retryAfter)
  }

  private var isBackingOff: Bool { lastFailure != nil && time.now() < notBefore }

  private func failureNow() -> FeedFailure {
    var failure = lastFailure ?? FeedFailure(.signInFailed, "signing in failed")
    failure.retryAfter = max(.seconds(1), notBefore - time.now())
    return failure
  }

  private func isExpired(_ held: Held) -> Bool {
    guard let lifetime = held.token.lifetime else { return false }
    return time.now() - held.since >= lifetime
  }

  private func renewalIsDue(_ held: Held) -> Bool {
    renewalTime(held).map { time.now() >= $0 } ?? false
  }

  /// Five minutes before the end, and not before four fifths of its life.
  private func renewalTime(_ held: Held) -> Duration? {
    held.token.lifetime.map { held.since + $0 - min(.seconds(300), $0 / 5) }
  }

  private func timeUntilDue() -> Duration {
    if isBackingOff { return notBefore - time.now() }
    guard let held else { return .zero }
    return renewalTime(held).map { $0 - time.now() } ?? .seconds(3600)
  }
}
