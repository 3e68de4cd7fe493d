import BoxEvents

/// One event stream: its entries in order of position, and what is still retained of them.
struct Feed: Sendable {
  let key: FeedKey
  let options: SimulatorOptions.Feed
  private(set) var entries: [LedgerEntry] = []
  /// Entries before this index are past retention: kept for the ledger, not served any more.
  private(set) var retainedFrom = 0
  var random: SplitMix64
  private var factory: EventFactory
  private var produced = 0

  /// The position of an empty feed: beyond 2^53, as Box's are.
  static let basePosition: UInt64 = 1_152_922_976_252_290_886
  /// Distance of neighbours: it leaves positions for late arrivals, and a double can tell no two apart.
  static let positionStep: UInt64 = 16

  init(key: FeedKey, options: SimulatorOptions.Feed, seed: UInt64) {
    self.key = key
    self.options = options
    random = SplitMix64(seed: seed, name: "pages \(key.user)/\(key.type)")
    factory = EventFactory(seed: seed, user: key.user, type: key.type, sizes: options.eventSizes)
  }

  /// Just after the newest entry.
  var newestPosition: UInt64 { entries.last.map { $0.position + 1 } ?? Self.basePosition }

  /// The index of the first entry at or after `position`.
  func index(of position: UInt64) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].position < position { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether this position can come from an answer.
  func hasServed(_ position: UInt64) -> Bool {
    if position == Self.basePosition || options.emptyPagePosition == .lower { return true }
    let next = index(of: position)
    return next > 0 && entries[next - 1].position + 1 == position
  }

  /// Adds one entry, as it is, at the end.
  mutating func append(_ bytes: [UInt8], at moment: SimulatedClock.Moment) {
    let last = entries.last?.position ?? Self.basePosition
    entries.append(
      LedgerEntry(bytes: bytes, position: last + Self.positionStep, producedNanoseconds: moment.nanoseconds))
    retainedFrom = max(retainedFrom, entries.count - options.retainedEvents)
  }

  /// Produces events; every ``SimulatorOptions/Feed/oddEvery``-th is unusual, and every
  /// ``SimulatorOptions/Feed/lateEvery``-th arrives late.
  /// - Parameter moment: the newest event's time.
  mutating func produce(_ count: Int, at moment: SimulatedClock.Moment) {
    entries.reserveCapacity(entries.count + count)
    for index in 0..<max(0, count) {
      let disorder = options.disorderSeconds
      let delay = disorder > 0 ? Int64.random(in: 0...Int64(disorder), using: &random) : 0
      // A batch is spread over the past, a thousand events a minute.
      let age = Int64((count - 1 - index) * 60 / 1000)
      let event = nextEvent(moment.secondsSince1970 - age - delay)
      let isLate = index < count - 1 && options.lateEvery > 0 && produced % options.lateEvery == 0
      if !isLate || !insert(event, depth: options.overlap / 2, at: moment) { append(event, at: moment) }
    }
  }

  /// An event of `byteCount` bytes.
  mutating func produceLarge(byteCount: Int, at moment: SimulatedClock.Moment) {
    append(factory.large(byteCount: byteCount, secondsSince1970: moment.secondsSince1970), at: moment)
  }

  mutating func produceOdd(_ kind: OddEvent, at moment: SimulatedClock.Moment) {
    append(factory.odd(kind, secondsSince1970: moment.secondsSince1970), at: moment)
  }

  /// One event that appears `depth` entries before the end, among those that have been served.
  /// - Returns: false if no position between its neighbours is free.
  mutating func produceLate(depth: Int, at moment: SimulatedClock.Moment) -> Bool {
    insert(nextEvent(moment.secondsSince1970), depth: depth, at: moment)
  }

  /// Ends retention of the oldest `count` retained entries.
  mutating func dropOldest(_ count: Int) { retainedFrom = min(entries.count, retainedFrom + max(0, count)) }

  private mutating func nextEvent(_ seconds: Int64) -> [UInt8] {
    produced += 1
    guard options.oddEvery > 0, produced % options.oddEvery == 0, !options.oddEvents.isEmpty else {
      return factory.next(secondsSince1970: seconds)
    }
    let kind = options.oddEvents[(produced / options.oddEvery - 1) % options.oddEvents.count]
    return factory.odd(kind, secondsSince1970: seconds)
  }

  private mutating func insert(_ bytes: [UInt8], depth: Int, at moment: SimulatedClock.Moment) -> Bool {
    let index = entries.count - max(1, depth)
    guard index > retainedFrom else { return false }
    let position = entries[index - 1].position + 2
    guard position < entries[index].position else { return false }
    let entry = LedgerEntry(bytes: bytes, position: position, producedNanoseconds: moment.nanoseconds)
    entries.insert(entry, at: index)
    return true
  }
}

/// Identifies a feed: its user and its type.
struct FeedKey: Hashable, Sendable {
  var user: String
  /// Box's `stream_type`.
  var type: String

  static let types = ["all", "changes", "sync", "admin_logs_streaming", "admin_logs"]

  /// Enterprise streams have no realtime server, and their positions are strings.
  var isEnterprise: Bool { type.hasPrefix("admin_logs") }
}

/// One entry of a feed, as it is served.
package struct LedgerEntry: Sendable {
  package let bytes: [UInt8]
  /// Where it is in the feed. The position just after it is one higher.
  package let position: UInt64
  /// CLOCK_MONOTONIC when it was produced.
  package let producedNanoseconds: UInt64

  /// False for `null` and anything else but an object.
  package var isEvent: Bool { bytes.first { $0 > 0x20 } == UInt8(ascii: "{") }
}
