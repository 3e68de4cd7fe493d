import BoxEvents
import TestDisks

/// What Box holds, and how it misbehaves: a value, so that an exhaustive simulation can go back to it.
struct BoxWorld: Sendable {
  /// A page of events as it is served.
  struct Page: Sendable {
    var body: [UInt8]
    /// The items on it in the order served, each with the line that the spool must have.
    var items: [(item: Int, line: [UInt8])] = []
    /// More events follow it.
    var hasMore = false
    /// The answer carries Box's time.
    var isDated = false
    /// Cut off, or not a page at all.
    var isBroken = false
  }

  private(set) var items: [BoxItem] = []
  /// Indices of `items` in the order of their keys.
  private var order: [Int] = []
  private var choices: Choices
  private let scenario: Scenario
  private var problems: Int
  private var lateLeft: Int
  /// The greatest position that was ever given out: nothing may appear before it.
  private var greatestGiven: UInt64
  /// Something has arrived since the last read.
  private var hasNews = false
  private var nextKey: UInt64 = 1_152_922_976_252_290_886

  init(_ scenario: Scenario, now: Int64) {
    self.scenario = scenario
    choices = Choices(seed: scenario.seed ^ 0xB0B0)
    problems = scenario.problems
    lateLeft = scenario.lateItems
    greatestGiven = nextKey - 1
    for _ in 0..<scenario.backlog { append(at: now - Int64(choices.pick(86_400))) }
  }

  var hasRealtime: Bool { scenario.type.hasRealtimeServer }

  /// Everything that will ever happen has happened.
  var isQuiet: Bool { items.count >= scenario.items }

  // MARK: What happens at Box

  /// Something happens, sometimes several things, sometimes nothing.
  mutating func arrive(at now: Int64) {
    for _ in 0..<choices.number(0, 3) where !isQuiet { append(at: now) }
  }

  private mutating func append(at now: Int64) {
    if scenario.lookbackInterval != nil, choices.chance(15), hide(at: now) { return }
    hasNews = true
    let newest = order.last.map { items[$0].key } ?? nextKey
    if lateLeft > 0, newest > greatestGiven + 1, choices.chance(40) {
      lateLeft -= 1
      let key = greatestGiven + 1 + UInt64(choices.pick(Int(newest - greatestGiven - 1)))
      if !order.contains(where: { items[$0].key == key }) {
        items.append(BoxItem(number: items.count, key: key, bornAt: now, &choices))
        order.append(items.count - 1)
        order.sort { items[$0].key < items[$1].key }
        return
      }
    }
    nextKey = max(nextKey, greatestGiven) + UInt64(choices.number(1, 900))
    items.append(BoxItem(number: items.count, key: nextKey, bornAt: now, &choices))
    order.append(items.count - 1)
  }

  /// An item appears among the last ones that have been served.
  private mutating func hide(at now: Int64) -> Bool {
    let served = order.filter { items[$0].key < greatestGiven }
    guard let neighbour = served.suffix(8).first else { return false }
    let key = items[neighbour].key + 1
    guard !order.contains(where: { items[$0].key == key }), key < greatestGiven else { return false }
    var item = BoxItem(number: items.count, key: key, bornAt: now, &choices)
    item.isHidden = true
    items.append(item)
    order.append(items.count - 1)
    order.sort { items[$0].key < items[$1].key }
    return true
  }

  /// Drops what is older than the stream's retention.
  mutating func forget(at now: Int64) {
    let oldest = now - scenario.type.retention.components.seconds
    guard order.contains(where: { items[$0].bornAt < oldest }) else { return }
    for index in order where items[index].bornAt < oldest { items[index].isForgotten = true }
    order.removeAll { items[$0].isForgotten }
  }

  // MARK: Pages

  /// `GET /events`.
  mutating func page(from position: ReadPosition, limit: Int) -> Page {
    if case .now = position {
      let newest = order.last.map { items[$0].key } ?? nextKey
      greatestGiven = max(greatestGiven, newest)
      return Page(body: body([], next: quoted(newest)))
    }
    hasNews = false
    let from: UInt64 = if case .at(let position) = position { UInt64(position.digits) ?? 0 } else { 0 }
    if let stuck = stuckPage(from, limit) { return stuck }
    let waiting = order.filter { items[$0].key > from }
    var count = min(waiting.count, limit, scenario.overlap + scenario.pageSize)
    if !scenario.isWindowExact, count > 1, choices.chance(30) { count = choices.number(1, count) }
    let shown = Array(waiting[..<count])
    guard !shown.isEmpty else { return Page(body: body([], next: emptyNext(from))) }
    let next = next(after: shown, from: from, hasMore: count < waiting.count)
    greatestGiven = max(greatestGiven, next)
    var page = Page(body: [], hasMore: count < waiting.count)
    var texts: [[UInt8]] = []
    for index in arranged(shown) {
      let (text, line) = text(of: index)
      texts.append(text)
      page.items.append((index, line))
    }
    if spendProblem(6) {
      // What follows can't be asked for, whatever it is.
      page.hasMore = true
      page.body = body(texts, next: unusablePosition())
    } else {
      page.body = body(texts, next: quoted(next))
    }
    if spendProblem(12) { breakBody(&page) }
    return page
  }

  /// A full page of known events alone that leads nowhere: the overlap is larger than a page.
  private mutating func stuckPage(_ from: UInt64, _ limit: Int) -> Page? {
    guard let known = order.last(where: { items[$0].key <= from && !items[$0].isOdd }), spendProblem(4) else {
      return nil
    }
    var page = Page(body: [], hasMore: true)
    page.items = [(known, items[known].line)]
    page.body = body([[UInt8]](repeating: items[known].line, count: limit), next: quoted(from))
    return page
  }

  /// A position that leads on while more is waiting, and back by the overlap.
  private mutating func next(after shown: [Int], from: UInt64, hasMore: Bool) -> UInt64 {
    let last = order.firstIndex(of: shown[shown.count - 1]) ?? 0
    let back = scenario.isWindowExact ? scenario.overlap : choices.pick(scenario.overlap + 1)
    let key = last >= back ? items[order[last - back]].key : 1_152_922_976_252_290_880
    return hasMore ? max(key, items[shown[0]].key) : key
  }

  /// Unordered at times, and some twice.
  private mutating func arranged(_ shown: [Int]) -> [Int] {
    var shown = shown
    if !scenario.isWindowExact, shown.count > 1, choices.chance(scenario.disorderPercent) {
      shown.swapAt(choices.pick(shown.count), choices.pick(shown.count))
    }
    if choices.chance(20) { shown.append(shown[choices.pick(shown.count)]) }
    return shown
  }

  /// An item's bytes in the page, and its line in the spool.
  private mutating func text(of index: Int) -> (text: [UInt8], line: [UInt8]) {
    let item = items[index]
    if let variant = item.variant, choices.chance(30) { return (variant, variant) }
    if let spread = item.spread, choices.chance(50) { return (spread, item.line) }
    return (item.line, item.line)
  }

  private mutating func body(_ texts: [[UInt8]], next: String?) -> [UInt8] {
    let size = choices.chance(10) ? choices.pick(900) : texts.count
    var body = Array("{\"chunk_size\":\(size)".utf8)
    if let next, choices.chance(50) {
      body += Array(",\"next_stream_position\":\(next)".utf8)
      body += Array(",\"entries\":[".utf8)
      append(texts, separator: ",", to: &body)
      return body + Array("]}".utf8)
    }
    body += Array(", \"entries\" : [\n".utf8)
    append(texts, separator: ",\n ", to: &body)
    body += Array("]".utf8)
    if let next { body += Array(",\"next_stream_position\":\(next)".utf8) }
    return body + Array("}\n".utf8)
  }

  private func append(_ texts: [[UInt8]], separator: String, to body: inout [UInt8]) {
    let separator = Array(separator.utf8)
    for (index, text) in texts.enumerated() {
      if index > 0 { body += separator }
      body += text
    }
  }

  /// Positions are numbers at times, and strings at others.
  private mutating func quoted(_ key: UInt64) -> String {
    choices.chance(40) ? "\"\(key)\"" : "\(key)"
  }

  /// The position of an empty page: ours, a lower one, `0`, or nothing; or always a greater one.
  private mutating func emptyNext(_ from: UInt64) -> String? {
    if scenario.isDrifting, from > 0 {
      let next = max(from, greatestGiven) + UInt64(choices.number(1, 90))
      greatestGiven = next
      return quoted(next)
    }
    return switch choices.pick(9) {
    case 0..<6: unusablePosition()
    case 6 where from > 10_000: quoted(from - UInt64(choices.number(1, 9000)))
    case 7 where from > 0: "\(Double(from))"
    default: from > 0 ? quoted(from) : "0"
    }
  }

  private mutating func unusablePosition() -> String? {
    switch choices.pick(6) {
    case 0: "0"
    case 1: "\"0\""
    case 2: "-1"
    case 3: "\"now\""
    case 4: nil
    default: "\"\""
    }
  }

  private mutating func breakBody(_ page: inout Page) {
    page.isBroken = true
    switch choices.pick(4) {
    case 0: page.body = Array("<html><body>502 Bad Gateway</body></html>".utf8)
    case 1: page.body = []
    case 2: page.body = Array(page.body[..<choices.pick(page.body.count - 3)])
    default: page.body = Array("{\"type\":\"error\",\"status\":200}".utf8)
    }
  }

  // MARK: Failures and the long poll

  private mutating func spendProblem(_ percent: Int) -> Bool {
    guard problems > 0, choices.chance(percent) else { return false }
    problems -= 1
    return true
  }

  /// Box behaves from now on.
  mutating func calmDown() { problems = 0 }

  /// The date of an answer: now and then none, or one that is weeks off, each time by another number of days.
  /// - Parameter canBeOdd: the daemon has a right one to compare it with.
  mutating func date(_ seconds: Int64, canBeOdd: Bool) -> Int64? {
    guard spendProblem(10) else { return seconds }
    let offset = Int64(22 + problems) * 86_400
    return canBeOdd && problems % 2 == 0 ? seconds + (problems % 4 == 0 ? offset : -offset) : nil
  }

  mutating func failure() -> FeedFailure? {
    guard spendProblem(20) else { return nil }
    let codes: [FeedFailure.Code] = [
      .unreachable, .throttled, .serverError, .unauthorized, .forbidden, .refused, .unreadable,
      .malformedPage,
      .tooLarge, .realtimeRefused, .signInFailed, .signInRefused,
    ]
    let code = codes[choices.pick(codes.count)]
    return FeedFailure(code, "simulated", retryAfter: choices.chance(20) ? .seconds(choices.pick(100)) : nil)
  }

  mutating func server() -> RealtimeServer {
    RealtimeServer(
      url: Secret("https://realtime.example/channel"), timeToLive: .seconds(60 * choices.number(1, 10)),
      maximumPolls: choices.number(1, 5), retryTimeout: .seconds(choices.number(30, 610)))
  }

  /// How a long poll ends.
  mutating func reply() -> (after: Duration, reply: RealtimeReply, failure: FeedFailure?, arrives: Bool) {
    // Every third change follows the one before at once.
    let pause = Duration.milliseconds(
      choices.chance(33) ? choices.number(5, 1_900) : choices.number(5, 90_000))
    if spendProblem(50) {
      switch choices.pick(7) {
      case 0: return (.milliseconds(50), .newChange, nil, false)
      case 1: return (pause, .reconnect, nil, false)
      case 2: return (pause, .maxRetries, nil, false)
      case 3: return (.milliseconds(50), .outOfDate, nil, false)
      case 4: return (pause, .unknown("an empty answer"), nil, false)
      case 5: return (.seconds(620), .reconnect, FeedFailure(.unreachable, "silence"), false)
      default: return (pause, .reconnect, FeedFailure(.serverError, "Box answered 503"), true)
      }
    }
    if hasNews { return (.milliseconds(1), .newChange, nil, false) }
    let message = choices.chance(50) ? "new_change" : "new_message"
    return (pause, RealtimeReply(message: message), nil, true)
  }
}
