/// What a test can change and observe while the simulated Box runs. `user` defaults to the first user;
/// enterprise types belong to the enterprise, whichever user is named.
extension BoxSimulator {
  /// Produces events in one feed, and answers the polls that wait for it.
  package func produce(_ count: Int, user: String? = nil, type: String = "all") {
    core.change(key(user, type)) { $0.produce(count, at: $1) }
  }

  /// Produces one unusual event.
  package func produce(_ kind: OddEvent, user: String? = nil, type: String = "all") {
    core.change(key(user, type)) { $0.produceOdd(kind, at: $1) }
  }

  /// Produces one event that appears `depth` entries before the newest, where a reader that has gone on
  /// doesn't see it.
  /// - Returns: false if no position between its neighbours is free.
  @discardableResult
  package func produceLate(depth: Int, user: String? = nil, type: String = "all") -> Bool {
    core.change(key(user, type)) { $0.produceLate(depth: depth, at: $1) }
  }

  /// Produces one event of this size, for example 20 MB.
  package func produceLarge(byteCount: Int, user: String? = nil, type: String = "all") {
    core.change(key(user, type)) { $0.produceLarge(byteCount: byteCount, at: $1) }
  }

  /// Adds one entry, byte for byte. One that is not JSON makes its page invalid.
  package func append(_ event: String, user: String? = nil, type: String = "all") {
    core.change(key(user, type)) { $0.append(Array(event.utf8), at: $1) }
  }

  /// Ends retention of the oldest `count` events still retained.
  package func dropOldest(_ count: Int, user: String? = nil, type: String = "all") {
    core.change(key(user, type)) { feed, _ in feed.dropOldest(count) }
  }

  /// The entries of a feed that are events.
  package func ledger(user: String? = nil, type: String = "all") -> [[UInt8]] {
    entries(user: user, type: type).filter(\.isEvent).map(\.bytes)
  }

  /// Every entry of a feed in its order, also those past retention.
  package func entries(user: String? = nil, type: String = "all") -> [LedgerEntry] {
    core.update { $0.feed(key(user, type)).entries }
  }

  /// The position just after a feed's newest event.
  package func newestPosition(user: String? = nil, type: String = "all") -> String {
    core.update { "\($0.feed(key(user, type)).newestPosition)" }
  }

  /// Plans faults for the next requests of an endpoint, one each, before any random ones.
  package func script(_ endpoint: SimulatedEndpoint, _ faults: [Fault]) {
    core.update { $0.faults.scripts[endpoint, default: []] += faults }
  }

  /// Removes the scripted faults of an endpoint that were not played yet.
  package func clearScript(_ endpoint: SimulatedEndpoint) {
    core.update { $0.faults.scripts[endpoint] = nil }
  }

  /// The number of scripted faults of an endpoint that were not played yet.
  package func scripted(_ endpoint: SimulatedEndpoint) -> Int {
    core.update { $0.faults.scripts[endpoint, default: []].count }
  }

  /// Random faults of an endpoint from now on.
  package func setFaultRates(_ endpoint: SimulatedEndpoint, _ rates: FaultRates) {
    core.update { $0.faults.rates[endpoint] = rates }
  }

  /// Revokes every access token; refresh tokens stay.
  package func expireTokens() { core.update { $0.tokens.access = [:] } }

  /// Makes an access token of the first user valid.
  package func addAccessToken(_ token: String, user: String? = nil) {
    core.update { $0.tokens.add(accessToken: token, user: key(user).user) }
  }

  /// Makes an authorization code of the first user valid, once.
  package func addAuthorizationCode(_ code: String) { core.update { $0.tokens.codes[code] = key().user } }

  /// The refresh tokens that would be accepted now.
  package var refreshTokens: Set<String> { core.update { Set($0.tokens.refreshTokens.keys) } }

  /// Answers every poll held for a feed although nothing is new, as Box does sometimes.
  package func wakePolls(user: String? = nil, type: String = "all") {
    core.update { $0.wake(key(user, type)) }
  }

  /// Sends every answer that ``Fault/held`` keeps.
  package func releaseAnswers() { core.update { $0.releaseAnswers() } }

  package var statistics: SimulatorStatistics { core.update { $0.statistics } }

  /// The last requests, oldest first.
  package var requests: [Request] { core.update { $0.requests } }

  /// What clients did that a client of Box must not do.
  package var violations: [Violation] { core.update { $0.violations } }

  /// Returns as soon as the condition holds: the way to wait in tests.
  /// - Throws: `CancellationError` if the task is cancelled or the simulator stopped first.
  package func wait(until isMet: (SimulatorStatistics) -> Bool) async throws {
    try await core.wait(until: isMet)
  }

  private func key(_ user: String? = nil, _ type: String = "all") -> FeedKey {
    options.key(user: user, type: type)
  }
}
