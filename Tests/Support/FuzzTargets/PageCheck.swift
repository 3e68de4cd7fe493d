import BoxEvents

/// What must hold of any bytes taken for a page of events.
struct PageCheck {
  private let body: [UInt8]
  private(set) var violations: [String] = []

  init(_ body: [UInt8]) {
    self.body = body
    do throws(EventPage.Unreadable) {
      let page = try EventPage(parsing: body, limit: body.count)
      checkRanges(page)
      checkPosition(page)
      for event in page.events { check(event, of: page) }
      for reject in page.rejects { check(reject, of: page) }
      checkCount(page)
    } catch {
      check(error)
    }
  }

  private mutating func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { violations.append(message()) }
  }

  /// Whether the word comes once, so that every reader takes the same value for the page's entries.
  private var hasOneListOfEntries: Bool {
    let text = String(decoding: body, as: UTF8.self)
    return text.split(separator: #"entries""#, omittingEmptySubsequences: false).count == 2
      && !text.contains(#"\u"#)
  }

  /// A valid page is never refused.
  private mutating func check(_ refusal: EventPage.Unreadable) {
    require(!refusal.message.isEmpty, "a refusal without words")
    guard hasOneListOfEntries, let document = JSONDocument(body) else { return }
    require(document["entries"].elements.isEmpty, "a page with entries was refused: \(refusal.message)")
  }

  /// Nothing overlaps, everything is in order, and nothing of the body has changed.
  private mutating func checkRanges(_ page: EventPage) {
    require(page.bytes.starts(with: body), "the body has changed")
    let all = page.events.map(\.range) + page.rejects.map(\.range)
    for range in all {
      require(range.upperBound <= page.bytes.count, "a range ends behind the page: \(range)")
    }
    let sent = all.filter { $0.upperBound <= body.count }.sorted { $0.lowerBound < $1.lowerBound }
    for (left, right) in zip(sent, sent.dropFirst()) {
      require(left.upperBound <= right.lowerBound, "ranges overlap: \(left), \(right)")
    }
    let rewritten = all.filter { $0.upperBound > body.count }
    require(
      rewritten.reduce(body.count) { $1.lowerBound == $0 ? $1.upperBound : -1 } == page.bytes.count,
      "rewritten lines do not follow one another")
    require(page.events.map(\.range).filter { $0.upperBound <= body.count }.isSorted, "events out of order")
    require(page.rejects.map(\.range).isSorted, "rejects out of order")
  }

  private mutating func checkPosition(_ page: EventPage) {
    guard let position = page.nextPosition else { return }
    let digits = position.digits.utf8
    require(
      1...64 ~= digits.count && digits.allSatisfy { 0x30...0x39 ~= $0 } && digits.contains { $0 != 0x30 },
      "no position to go on from: \(position)")
  }

  private mutating func check(_ event: EventPage.Event, of page: EventPage) {
    let line = Array(page.bytes[event.range])
    let text = String(decoding: line.prefix(200), as: UTF8.self)
    require(!line.contains(0x0A) && !line.contains(0x0D), "a line break in \(text)")
    require(line.first == UInt8(ascii: "{") && line.last == UInt8(ascii: "}"), "no object: \(text)")
    require(
      JSONDocument(line) != nil && Disagreement.kinds(of: line) != nil, "Foundation finds no JSON in \(text)")
    require(
      line.withUnsafeBytes { EventLine.identity(of: $0) } == event.identity, "another identity: \(text)")
    let again = try? EventPage(lines: [line], nextPosition: nil)
    require(again?.events.map(\.identity) == [event.identity], "served again it is another: \(text)")
    require(
      event.createdAt.isEmpty
        || event.range.contains(event.createdAt.lowerBound)
          && event.createdAt.upperBound <= event.range.upperBound,
      "created_at is not the event's: \(text)")
  }

  private mutating func check(_ reject: EventPage.Reject, of page: EventPage) {
    require(!reject.reason.isEmpty, "a reject without a reason")
    let entry = Array(page.bytes[reject.range])
    let identity = entry.withUnsafeBytes { EventLine.identity(of: $0) }
    require(identity == nil, "an event was rejected: \(String(decoding: entry.prefix(200), as: UTF8.self))")
  }

  /// Where the page is valid JSON, another reader counts as many entries.
  private mutating func checkCount(_ page: EventPage) {
    guard hasOneListOfEntries, case .object(let members)? = JSONValidator.read(body),
      JSONDocument(body) != nil,
      case .array(let elements)? = members["entries"]
    else { return }
    require(elements.count == page.entryCount, "\(elements.count) entries, \(page.entryCount) taken")
  }
}

extension [Range<Int>] {
  fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound } }
}
