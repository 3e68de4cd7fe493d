/// What a test does to the simulated Box while it runs, and what it can ask. `user` defaults to the
/// first user; enterprise types belong to the enterprise whoever is named.
extension BoxSimulator {
  /// Produces events in one feed; the polls waiting for it are answered.
  package func produce(_ count: Int, user: String? = nil, type: String = "all") {
    let key = options.key(user: user, type: type)
    core.update { $0.produce(count, in: key) }
  }

  /// Produces one odd event.
  package func produce(_ kind: OddEvent, user: String? = nil, type: String = "all") {
    let key = options.key(user: user, type: type)
    core.update { $0.produce(kind, in: key) }
  }

  /// Produces one event that appears `depth` entries before the newest, where a reader that has gone on
  /// doesn't see it. False if there is no room for it there.
  @discardableResult
  package func produceLate(depth: Int, user: String? = nil, type: String = "all") -> Bool {
    let key = options.key(user: user, type: type)
    return core.update { $0.produceLate(depth: depth, in: key) }
  }

  /// Produces one event of this size, for example 20 MB.
  package func produceLarge(byteCount: Int, user: String? = nil, type: String = "all") {
    let key = options.key(user: user, type: type)
    core.update { $0.produceLarge(byteCount: byteCount, in: key) }
  }

  /// Adds one entry, byte for byte: JSON, or the page it comes in is none.
  package func append(_ event: [UInt8], user: String? = nil, type: String = "all") {
    let key = options.key(user: user, type: type)
    core.update { $0.append(event, to: key) }
  }

  /// Adds one entry, byte for byte.
  package func append(_ event: String, user: String? = nil, type: String = "all") {
    append(Array(event.utf8), user: user, type: type)
  }

  /// Ends retention of the oldest `count` events still retained.
  package func dropOldest(_ count: Int, user: String? = nil, type: String = "all") {
    let key = options.key(user: user, type: type)
    core.update { $0.change(key) { $0.dropOldest(count) } }
  }

  /// Every event of a feed in the order it is served, past retention too. `null` and the like are
  /// left out; see ``entries(user:type:)``.
  package func ledger(user: String? = nil, type: String = "all") -> [[UInt8]] {
    entries(user: user, type: type).filter(\.isEvent).map(\.bytes)
  }

  /// Every entry of a feed in the order it is served, past retention too.
  package func entries(user: String? = nil, type: String = "all") -> [LedgerEntry] {
    let key = options.key(user: user, type: type)
    return core.update { $0.feed(key).entries }
  }

  /// The position just behind a feed's newest event.
  package func newestPosition(user: String? = nil, type: String = "all") -> String {
    let key = options.key(user: user, type: type)
    return core.update { "\($0.feed(key).newestPosition)" }
  }

  /// Plans faults for the next requests of an endpoint, one each, before any random ones.
  package func script(_ endpoint: SimulatedEndpoint, _ faults: [Fault]) {
    core.update { $0.faults.script(endpoint, faults) }
  }

  /// Forgets what is scripted for an endpoint and not yet played.
  package func clearScript(_ endpoint: SimulatedEndpoint) {
    core.update { $0.faults.clear(endpoint) }
  }

  /// Faults scripted for an endpoint and not yet played.
  package func scripted(_ endpoint: SimulatedEndpoint) -> Int {
    core.update { $0.faults.scripted(endpoint) }
  }

  /// Random faults of an endpoint from now on.
  package func setFaultRates(_ endpoint: SimulatedEndpoint, _ rates: FaultRates) {
    core.update { $0.faults.rates[endpoint] = rates }
  }

  /// Revokes every access token; refresh tokens stay.
  package func expireTokens() {
    core.update { $0.tokens.revokeAll() }
  }

  /// Makes an access token valid.
  package func addAccessToken(
    _ token: String, user: String? = nil, lifetime: Duration = .seconds(3600)
  ) {
    let user = options.key(user: user, type: "all").user
    core.update { $0.tokens.add(accessToken: token, user: user, lifetime: lifetime) }
  }

  /// Makes an authorization code valid, once.
  package func addAuthorizationCode(_ code: String, user: String? = nil) {
    let user = options.key(user: user, type: "all").user
    core.update { $0.tokens.add(code: code, user: user) }
  }

  /// Makes a refresh token valid, once.
  package func addRefreshToken(_ token: String, user: String? = nil) {
    let user = options.key(user: user, type: "all").user
    core.update { $0.tokens.add(refreshToken: token, user: user) }
  }

  /// The refresh tokens that would be accepted now.
  package var refreshTokens: Set<String> { core.update { Set($0.tokens.refreshTokens.keys) } }

  /// Moves Box's clock against this machine's.
  package func setClockOffset(_ offset: Duration) {
    core.update { $0.clock.offset = offset }
  }

  /// Answers every poll held for a feed although nothing is new, as Box does now and then.
  package func wakePolls(user: String? = nil, type: String = "all") {
    let key = options.key(user: user, type: type)
    core.update { $0.wake(key) }
  }

  package var statistics: SimulatorStatistics { core.update { $0.statistics } }

  /// The last requests, oldest first.
  package var requests: [RequestRecord] { core.update { $0.log.records } }

  /// What clients did that no client of Box must do.
  package var violations: [Violation] { core.update { $0.violations } }

  /// Returns as soon as the condition holds: the way to wait in tests.
  /// - Throws: `CancellationError` if the task is cancelled or the simulator stopped first.
  package func wait(until isMet: @escaping @Sendable (SimulatorStatistics) -> Bool) async throws {
    try await core.wait(until: isMet)
  }
}
