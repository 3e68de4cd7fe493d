/// The state of a simulated Box. One lock guards it, in ``SimulatorCore``.
struct SimulatorState: Sendable {
  let options: SimulatorOptions
  /// Where OPTIONS sends the polls; known once the ports are.
  var realtimeURL = ""
  var clock: SimulatedClock
  private var feeds: [FeedKey: Feed] = [:]
  var tokens: Tokens
  var realtime: Realtime
  var faults: FaultPlan
  /// The last requests and some older ones.
  private var log: [Request] = []
  private(set) var violations: [Violation] = []
  /// Without what ``statistics`` adds.
  var counts = SimulatorStatistics()
  /// Unproductive reads of a feed within one second.
  private var idleReads: [FeedKey: (second: Int64, count: Int)] = [:]
  private var woken: [Realtime.Wake] = []
  /// Those who play the answers of ``Fault/held``.
  private var keptAnswers: [Realtime.Wake] = []

  init(options: SimulatorOptions) {
    self.options = options
    clock = SimulatedClock(offset: options.clockOffset)
    tokens = Tokens(credentials: options.credentials, seed: options.seed)
    realtime = Realtime(options: options.realtime, seed: options.seed)
    faults = FaultPlan(rates: options.faultRates, seed: options.seed)
    produce(options.backlog)
  }

  var statistics: SimulatorStatistics {
    var statistics = counts
    statistics.heldPolls = realtime.heldCount
    statistics.issuedTokens = tokens.issued
    statistics.violations = violations.count
    return statistics
  }

  /// The feed of this key, made if it is new.
  func feed(_ key: FeedKey) -> Feed {
    feeds[key] ?? Feed(key: key, options: options.feed, seed: options.seed)
  }

  /// Changes a feed in place, and answers the polls that wait for it if it has grown.
  @discardableResult
  mutating func change<Value>(
    _ key: FeedKey, _ change: (inout Feed, SimulatedClock.Moment) -> Value
  ) -> Value {
    // Removed meanwhile: a second reference would copy all its entries.
    var feed = feeds.removeValue(forKey: key) ?? feed(key)
    let before = feed.entries.count
    let value = change(&feed, clock.now)
    let grown = feed.entries.count - before
    feeds[key] = feed
    counts.entries += grown
    if grown > 0 { wake(key) }
    return value
  }

  /// New events for every user's feed of every listed type, and the enterprise's.
  mutating func produce(_ count: Int) {
    guard count > 0 else { return }
    let users = options.credentials.users
    var keys = users.flatMap { user in options.feedTypes.map { FeedKey(user: user, type: $0) } }
    keys.removeAll(where: \.isEnterprise)
    keys += options.feedTypes.map { options.key(user: nil, type: $0) }.filter(\.isEnterprise)
    for key in keys { change(key) { $0.produce(count, at: $1) } }
  }

  /// Answers the polls of a feed.
  mutating func wake(_ key: FeedKey) {
    let polls = realtime.takeAll(of: key)
    counts.wokenPolls += polls.count
    woken += polls
  }

  mutating func keepAnswer(_ play: @escaping Realtime.Wake) { keptAnswers.append(play) }

  /// Sends every answer that ``Fault/held`` keeps.
  mutating func releaseAnswers() {
    woken += keptAnswers
    keptAnswers = []
  }

  /// The polls and answers to send after the lock is released.
  mutating func takeWoken() -> [Realtime.Wake] {
    defer { woken = [] }
    return woken
  }

  /// The last requests, oldest first.
  var requests: [Request] { log.suffix(max(0, options.requestLogCapacity)) }

  mutating func record(_ request: Request) {
    log.append(request)
    // Rarely, since the rest moves.
    let surplus = log.count - options.requestLogCapacity
    if surplus > 1000 { log.removeFirst(surplus) }
    if let endpoint = request.endpoint { counts.requests[endpoint, default: 0] += 1 }
  }

  mutating func record(_ kind: Violation.Kind, _ detail: String) {
    guard violations.count < 10_000 else { return }
    violations.append(Violation(kind: kind, detail: detail))
  }

  /// Records a position that no answer has carried.
  mutating func checkPosition(_ position: UInt64, of key: FeedKey, _ use: String) {
    if !feed(key).hasServed(position) {
      record(.unknownPosition, "\(position) \(use) \(key.user)/\(key.type)")
    }
  }

  /// Counts a read that brings nothing new.
  mutating func recordIdleRead(_ key: FeedKey) {
    guard let limit = options.hotLoopLimit else { return }
    let second = Int64(clock.now.nanoseconds / 1_000_000_000)
    let seen = idleReads[key].flatMap { $0.second == second ? $0.count : nil } ?? 0
    idleReads[key] = (second, seen + 1)
    if seen == limit {
      record(.hotLoop, "more than \(limit) reads a second of \(key.user)/\(key.type) with nothing new")
    }
  }
}
