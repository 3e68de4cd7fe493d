/// One event stream: its entries in order of position, and what is still retained of them.
struct Feed: Sendable {
  let key: FeedKey
  let options: SimulatorOptions.Feed
  private(set) var entries: [LedgerEntry] = []
  /// Entries before this index are past retention: kept for the ledger, no longer served.
  private(set) var retainedFrom = 0
  var random: SplitMix64
  private var factory: EventFactory
  private var produced = 0

  /// The position of an empty feed: beyond 2^53, as Box's are.
  static let basePosition: UInt64 = 1_152_922_976_252_290_886
  /// Distance of neighbours: room for late arrivals, and below what a double can tell apart.
  static let positionStep: UInt64 = 16

  init(key: FeedKey, options: SimulatorOptions.Feed, seed: UInt64) {
    self.key = key
    self.options = options
    random = SplitMix64(seed: seed, name: "pages \(key.user)/\(key.type)")
    factory = EventFactory(seed: seed, user: key.user, type: key.type, sizes: options.eventSizes)
  }

  /// Just behind the newest entry.
  var newestPosition: UInt64 { entries.last.map { $0.position + 1 } ?? Self.basePosition }

  /// The index of the first entry at or behind `position`.
  func index(of position: UInt64) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].position < position { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether an answer can have carried this position.
  func hasServed(_ position: UInt64) -> Bool {
    if position == Self.basePosition || options.emptyPagePosition == .lower { return true }
    let next = index(of: position)
    return next > 0 && entries[next - 1].position + 1 == position
  }

  /// Adds an entry at the end.
  mutating func append(_ bytes: [UInt8], isEvent: Bool, producedNanoseconds: UInt64) {
    let last = entries.last?.position ?? Self.basePosition
    entries.append(
      LedgerEntry(
        bytes: bytes, isEvent: isEvent, position: last + Self.positionStep,
        producedNanoseconds: producedNanoseconds))
    expire()
  }

  /// Produces events; every ``SimulatorOptions/Feed/oddEvery``-th is odd, and every
  /// ``SimulatorOptions/Feed/lateEvery``-th arrives late.
  /// - Parameter secondsSince1970: the newest event's time.
  mutating func produce(_ count: Int, secondsSince1970: Int64, producedNanoseconds: UInt64) {
    entries.reserveCapacity(entries.count + count)
    for index in 0..<max(0, count) {
      let disorder = options.disorderSeconds
      let delay = disorder > 0 ? Int64.random(in: 0...Int64(disorder), using: &random) : 0
      // A batch is spread over the past, a thousand events a minute.
      let age = Int64((count - 1 - index) * 60 / 1000)
      let (bytes, isEvent) = nextEvent(secondsSince1970 - age - delay)
      let isLast = index == count - 1
      if !isLast, options.lateEvery > 0, produced % options.lateEvery == 0,
        insertLate(bytes, isEvent, producedNanoseconds)
      {
        continue
      }
      append(bytes, isEvent: isEvent, producedNanoseconds: producedNanoseconds)
    }
  }

  /// Ends retention of the oldest `count` retained entries.
  mutating func dropOldest(_ count: Int) {
    retainedFrom = min(entries.count, retainedFrom + max(0, count))
  }

  /// One event that appears behind those that have been served: `depth` entries before the end.
  /// False if there is no room.
  mutating func produceLate(depth: Int, secondsSince1970: Int64, producedNanoseconds: UInt64) -> Bool {
    let (bytes, isEvent) = nextEvent(secondsSince1970)
    return insert(bytes, isEvent, depth: max(1, depth), producedNanoseconds)
  }

  /// An event of `byteCount` bytes.
  mutating func produceLarge(byteCount: Int, secondsSince1970: Int64, producedNanoseconds: UInt64) {
    let bytes = factory.large(byteCount: byteCount, secondsSince1970: secondsSince1970)
    append(bytes, isEvent: true, producedNanoseconds: producedNanoseconds)
  }

  mutating func produceOdd(_ kind: OddEvent, secondsSince1970: Int64, producedNanoseconds: UInt64) {
    let bytes = factory.odd(kind, secondsSince1970: secondsSince1970)
    append(bytes, isEvent: kind.isEvent, producedNanoseconds: producedNanoseconds)
  }

  private mutating func nextEvent(_ seconds: Int64) -> (bytes: [UInt8], isEvent: Bool) {
    produced += 1
    guard options.oddEvery > 0, produced % options.oddEvery == 0, !options.oddEvents.isEmpty else {
      return (factory.next(secondsSince1970: seconds), true)
    }
    let kind = options.oddEvents[(produced / options.oddEvery - 1) % options.oddEvents.count]
    return (factory.odd(kind, secondsSince1970: seconds), kind.isEvent)
  }

  /// Places an entry up to half an overlap behind the newest, where a reader that doesn't lookback
  /// would miss it. False if there is no room between two neighbours there.
  private mutating func insertLate(_ bytes: [UInt8], _ isEvent: Bool, _ nanoseconds: UInt64) -> Bool {
    insert(bytes, isEvent, depth: max(1, options.overlap / 2), nanoseconds)
  }

  private mutating func insert(
    _ bytes: [UInt8], _ isEvent: Bool, depth: Int, _ nanoseconds: UInt64
  ) -> Bool {
    let index = entries.count - depth
    guard index > retainedFrom, index > 0 else { return false }
    let position = entries[index - 1].position + 2
    guard position < entries[index].position else { return false }
    entries.insert(
      LedgerEntry(bytes: bytes, isEvent: isEvent, position: position, producedNanoseconds: nanoseconds),
      at: index)
    return true
  }

  private mutating func expire() {
    retainedFrom = max(retainedFrom, entries.count - options.retainedEvents)
  }
}
