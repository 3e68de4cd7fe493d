/// All that a simulated Box knows. Lives under one lock, in ``SimulatorCore``.
struct SimulatorState: Sendable {
  let options: SimulatorOptions
  /// Where OPTIONS sends the polls; known once the ports are.
  var realtimeURL = ""
  var clock: SimulatedClock
  var feeds: [FeedKey: Feed] = [:]
  var tokens: Tokens
  var realtime: Realtime
  var faults: FaultPlan
  var log: RequestLog
  var violations: [Violation] = []
  private var counts = SimulatorStatistics()
  /// Unproductive reads of a feed within one second.
  private var idleReads: [FeedKey: (second: Int64, count: Int)] = [:]
  private var woken: [HeldPoll] = []

  init(options: SimulatorOptions) {
    self.options = options
    clock = SimulatedClock(offset: options.clockOffset)
    tokens = Tokens(credentials: options.credentials, seed: options.seed)
    realtime = Realtime(options: options.realtime, seed: options.seed)
    faults = FaultPlan(rates: options.faultRates, seed: options.seed)
    log = RequestLog(capacity: options.requestLogCapacity)
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

  /// Changes a feed in place; polls waiting for it are answered if it has grown.
  mutating func change(_ key: FeedKey, _ change: (inout Feed) -> Void) {
    // Taken out meanwhile, or a copy of all its entries would be made.
    var feed = feeds.removeValue(forKey: key) ?? feed(key)
    let before = feed.entries.count
    change(&feed)
    let grown = feed.entries.count - before
    feeds[key] = feed
    counts.entries += grown
    if grown > 0 { woken += realtime.takeAll(of: key) }
  }

  /// New events for every user's feed of every listed type, and the enterprise's.
  mutating func produce(_ count: Int) {
    guard count > 0 else { return }
    for user in options.credentials.users {
      for type in options.feedTypes where !type.hasPrefix("admin_logs") {
        produce(count, in: FeedKey(user: user, type: type))
      }
    }
    for type in options.feedTypes where type.hasPrefix("admin_logs") {
      produce(count, in: options.key(user: nil, type: type))
    }
  }

  mutating func produce(_ count: Int, in key: FeedKey) {
    let (seconds, nanoseconds) = (clock.secondsSince1970, SimulatedClock.monotonicNanoseconds)
    change(key) { $0.produce(count, secondsSince1970: seconds, producedNanoseconds: nanoseconds) }
  }

  /// Adds one event as it is; anything but an object counts as no event.
  mutating func append(_ bytes: [UInt8], to key: FeedKey) {
    let isEvent = bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
    let nanoseconds = SimulatedClock.monotonicNanoseconds
    change(key) { $0.append(bytes, isEvent: isEvent, producedNanoseconds: nanoseconds) }
  }

  mutating func produce(_ kind: OddEvent, in key: FeedKey) {
    let (seconds, nanoseconds) = (clock.secondsSince1970, SimulatedClock.monotonicNanoseconds)
    change(key) { $0.produceOdd(kind, secondsSince1970: seconds, producedNanoseconds: nanoseconds) }
  }

  mutating func produceLate(depth: Int, in key: FeedKey) -> Bool {
    let (seconds, nanoseconds) = (clock.secondsSince1970, SimulatedClock.monotonicNanoseconds)
    var isThere = false
    change(key) {
      isThere = $0.produceLate(depth: depth, secondsSince1970: seconds, producedNanoseconds: nanoseconds)
    }
    return isThere
  }

  mutating func produceLarge(byteCount: Int, in key: FeedKey) {
    let (seconds, nanoseconds) = (clock.secondsSince1970, SimulatedClock.monotonicNanoseconds)
    change(key) {
      $0.produceLarge(byteCount: byteCount, secondsSince1970: seconds, producedNanoseconds: nanoseconds)
    }
  }

  /// Answers the polls of a feed though nothing has come.
  mutating func wake(_ key: FeedKey) { woken += realtime.takeAll(of: key) }

  /// The polls to answer after the lock is released.
  mutating func takeWoken() -> [HeldPoll] {
    guard !woken.isEmpty else { return [] }
    counts.wokenPolls += woken.count
    defer { woken = [] }
    return woken
  }

  mutating func record(_ request: Request) {
    log.append(RequestRecord(request))
    if let endpoint = request.endpoint { counts.requests[endpoint, default: 0] += 1 }
  }

  mutating func recordFault(_ endpoint: SimulatedEndpoint) { counts.faults[endpoint, default: 0] += 1 }

  mutating func recordServed(_ entries: Int) { counts.served += entries }

  mutating func record(_ kind: Violation.Kind, _ detail: String) {
    guard violations.count < 10_000 else { return }
    violations.append(Violation(kind: kind, detail: detail))
  }

  mutating func recordRead(_ key: FeedKey, isProductive: Bool) {
    guard let limit = options.hotLoopLimit, !isProductive else { return }
    let second = Int64(SimulatedClock.monotonicNanoseconds / 1_000_000_000)
    let seen = idleReads[key].flatMap { $0.second == second ? $0.count : nil } ?? 0
    idleReads[key] = (second, seen + 1)
    if seen == limit {
      record(.hotLoop, "more than \(limit) reads a second of \(key.user)/\(key.type) with nothing new")
    }
  }
}
