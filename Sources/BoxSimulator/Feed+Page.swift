import BoxEvents
import NIOCore

extension Feed {
  /// Where a read starts.
  enum Start: Hashable {
    case now, oldest
    case at(UInt64)

    /// Reads a `stream_position`; nil if it is malformed.
    init?(_ text: String) {
      switch text {
      case "now": self = .now
      case "0": self = .oldest
      default:
        guard text.allSatisfy("0123456789".contains), let position = UInt64(text) else { return nil }
        self = .at(position)
      }
    }
  }

  /// Which entries an answer serves, and the next position.
  struct Page {
    var indices: [Int] = []
    /// Nil for the `0` of some empty pages.
    var next: UInt64?
    /// Whether it reaches beyond the position asked for.
    var isProductive = false
  }

  /// The page for a read from `start`. A position past retention gets what is left, without an error.
  mutating func page(from start: Start, limit: Int) -> Page {
    let cursor: Int
    switch start {
    case .now: return Page(next: newestPosition)
    case .oldest: cursor = retainedFrom
    case .at(let position): cursor = max(index(of: position), retainedFrom)
    }
    if let overlap = options.stallingOverlap, case .at(let position) = start {
      let first = max(retainedFrom, cursor - overlap)
      if cursor - first >= limit { return Page(indices: Array(first..<(first + limit)), next: position) }
    }
    let first = max(retainedFrom, cursor - min(options.overlap, limit / 4))
    let isWaiting = cursor < entries.count
    if first == entries.count || isWaiting && random.chance(percent: options.emptyPagePercent) {
      return emptyPage(from: start)
    }
    return page(first: first, cursor: cursor, limit: limit)
  }

  private func emptyPage(from start: Start) -> Page {
    switch options.emptyPagePosition {
    case .zero: return Page()
    case .newest:
      // An empty page with more waiting must not carry the newest position: that would skip.
      if case .at(let position) = start { return Page(next: min(position, newestPosition)) }
      return Page(next: entries.isEmpty ? newestPosition : nil)
    case .lower:
      guard case .at(let position) = start else { return Page(next: newestPosition) }
      return Page(next: position - min(position, 1_000_000))
    }
  }

  private mutating func page(first: Int, cursor: Int, limit: Int) -> Page {
    let stepBack = min(options.stepBack, limit / 4)
    let available = entries.count - first
    // With fewer entries than these the reader would not advance.
    let least = min(available, cursor - first + stepBack + 1)
    var count = min(limit, available)
    if available > count, least < count, random.chance(percent: options.shortPagePercent) {
      count = Int.random(in: least...count, using: &random)
    }
    let (indices, last) = repeating(first: first, count: count, least: least, limit: limit)
    let hasMore = last + 1 < entries.count
    let isHeldBack = (hasMore || indices.count >= limit) && last - stepBack >= cursor
    let next = entries[isHeldBack ? last - stepBack : last].position + 1
    return Page(indices: indices, next: next, isProductive: last >= cursor)
  }

  /// `count` entries, some of them twice, within `limit` in all; and the last entry served.
  private mutating func repeating(
    first: Int, count: Int, least: Int, limit: Int
  ) -> (indices: [Int], last: Int) {
    var repeats = (0..<count).count { _ in random.chance(percent: options.duplicatePercent) }
    let distinct = max(min(least, count), min(count, limit - repeats))
    repeats = min(repeats, limit - distinct)
    var indices = Array(first..<(first + distinct))
    for _ in 0..<repeats {
      let index = Int.random(in: 0..<indices.count, using: &random)
      // Right after the first one, or a few entries later.
      let target = min(indices.count, index + Int.random(in: 1...4, using: &random))
      indices.insert(indices[index], at: target)
    }
    return (indices, first + distinct - 1)
  }

  /// The page as Box writes it, with the entries' exact bytes.
  func answer(_ page: Page) -> Answer {
    let asString = key.isEnterprise || options.positionsAsStrings
    let digits = page.next.map { "\($0)" } ?? "0"
    let position = asString ? "\"\(digits)\"" : digits
    let chunk = page.indices.count + (options.liesAboutChunkSize ? page.indices.count % 3 : 0)
    let size = page.indices.reduce(0) { $0 + entries[$1].bytes.count + 1 }
    var body = ByteBufferAllocator().buffer(capacity: size + 128)
    body.writeString(#"{"chunk_size":\#(chunk),"next_stream_position":\#(position),"entries":["#)
    for (ordinal, index) in page.indices.enumerated() {
      if ordinal > 0 { body.writeInteger(UInt8(ascii: ",")) }
      body.writeBytes(entries[index].bytes)
    }
    body.writeStaticString("]}")
    return Answer(headers: [("Content-Type", "application/json")], body: body)
  }
}
