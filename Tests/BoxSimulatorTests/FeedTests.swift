import Testing

@testable import BoxSimulator

@Suite struct FeedTests {
  private static let now = SimulatedClock.Moment(secondsSince1970: 1_700_000_000, nanoseconds: 1)

  private func feed(
    _ count: Int, seed: UInt64 = 1, _ change: (inout SimulatorOptions.Feed) -> Void = { _ in }
  )
    -> Feed
  {
    var options = SimulatorOptions.Feed()
    change(&options)
    var feed = Feed(key: FeedKey(user: "1", type: "all"), options: options, seed: seed)
    feed.produce(count, at: Self.now)
    return feed
  }

  /// Reads from `start` to the end; nil if that takes too many pages.
  private func indices(of feed: inout Feed, from start: Feed.Start, limit: Int) -> (Set<Int>, UInt64)? {
    var start = start
    var seen: Set<Int> = []
    for _ in 0..<(feed.entries.count * 4 + 10) {
      let page = feed.page(from: start, limit: limit)
      #expect(page.indices.count <= limit)
      let isNew = !Set(page.indices).isSubset(of: seen)
      seen.formUnion(page.indices)
      if case .at(let position) = start, let next = page.next {
        #expect(next >= position, "the position went back")
        if !isNew, next == position, next == feed.newestPosition { return (seen, next) }
      }
      if let next = page.next { start = .at(next) }
    }
    return nil
  }

  @Test(arguments: [1, 2, 3, 4, 10, 50, 100, 500])
  func everyLimitReadsEverything(limit: Int) throws {
    for seed in UInt64(1)...20 {
      var feed = feed(700, seed: seed) {
        $0.overlap = 8
        $0.duplicatePercent = 20
        $0.shortPagePercent = 40
        $0.emptyPagePercent = 10
      }
      let (seen, _) = try #require(indices(of: &feed, from: .oldest, limit: limit), "seed \(seed)")
      #expect(seen.count == 700, "seed \(seed)")
    }
  }

  @Test func pagesOverlapRepeatAndEndEarly() {
    var feed = feed(5000) {
      $0.duplicatePercent = 5
      $0.shortPagePercent = 50
    }
    let first = feed.page(from: .oldest, limit: 500)
    var start = Feed.Start.at(first.next ?? 0)
    var (repeats, short, overlapping) = (0, 0, 0)
    var last = first.indices.max() ?? 0
    for _ in 0..<8 {
      let page = feed.page(from: start, limit: 500)
      repeats += page.indices.count - Set(page.indices).count
      if page.indices.count < 480 { short += 1 }
      if (page.indices.min() ?? .max) <= last { overlapping += 1 }
      last = page.indices.max() ?? last
      start = .at(page.next ?? 0)
    }
    #expect(repeats > 0)
    #expect(short > 0)
    #expect(overlapping == 8)
  }

  @Test func anExactFeedServesEachEventOnce() {
    var feed = feed(1000) { $0 = .exact }
    var start = Feed.Start.oldest
    var served: [Int] = []
    for _ in 0..<5 {
      let page = feed.page(from: start, limit: 300)
      served += page.indices
      start = .at(page.next ?? 0)
    }
    #expect(served == Array(0..<1000))
  }

  @Test func nowIsTheNewestPositionWithoutEvents() {
    var feed = feed(10)
    let page = feed.page(from: .now, limit: 100)
    #expect(page.indices.isEmpty)
    #expect(page.next == feed.newestPosition)
  }

  @Test func positionsDoNotSurviveADouble() {
    let feed = feed(100)
    let changed = feed.entries.filter { UInt64(Double($0.position + 1)) != $0.position + 1 }
    #expect(changed.count == 100)
    #expect(feed.hasServed(feed.entries[50].position + 1))
    #expect(!feed.hasServed(UInt64(Double(feed.entries[50].position + 1))))
  }

  @Test func anOverlapLargerThanAPageStalls() {
    var feed = feed(1000) { $0.stallingOverlap = 600 }
    let position = feed.entries[899].position + 1
    let page = feed.page(from: .at(position), limit: 500)
    #expect(page.indices.count == 500)
    #expect(page.next == position)
    #expect(!page.isProductive)
    #expect(feed.page(from: .at(position), limit: 500).indices == page.indices)
  }

  @Test func positionsPastRetentionGetWhatIsLeft() {
    var feed = feed(100) { $0 = .exact }
    let old = feed.entries[9].position + 1
    feed.dropOldest(60)
    #expect(feed.page(from: .at(old), limit: 500).indices == Array(60..<100))
    #expect(feed.page(from: .oldest, limit: 500).indices == Array(60..<100))
    #expect(feed.entries.count == 100)
    let bounded = self.feed(100) { $0.retainedEvents = 30 }
    #expect(bounded.retainedFrom == 70)
  }

  @Test(arguments: SimulatorOptions.Feed.EmptyPagePosition.allCases)
  func emptyPagesCarryTheChosenPosition(_ kind: SimulatorOptions.Feed.EmptyPagePosition) {
    var feed = feed(10) {
      $0 = .exact
      $0.emptyPagePosition = kind
    }
    let newest = feed.newestPosition
    let page = feed.page(from: .at(newest), limit: 500)
    #expect(page.indices.isEmpty)
    switch kind {
    case .newest: #expect(page.next == newest)
    case .zero: #expect(page.next == nil)
    case .lower: #expect((page.next ?? .max) < newest)
    }
  }

  @Test func lateEventsAreBeforeThePositionAndInsideTheOverlap() throws {
    for seed in UInt64(1)...20 {
      var feed = feed(50, seed: seed) { $0.lateEvery = 4 }
      var (seen, position) = try #require(indices(of: &feed, from: .oldest, limit: 500))
      var known = Set(seen.map { feed.entries[$0].bytes })
      var late = 0
      for _ in 0..<10 {
        feed.produce(7, at: Self.now)
        late += feed.entries.filter { $0.position < position && !known.contains($0.bytes) }.count
        (seen, position) = try #require(indices(of: &feed, from: .at(position), limit: 500))
        known.formUnion(seen.map { feed.entries[$0].bytes })
      }
      #expect(late > 0)
      #expect(known.count == feed.entries.count, "seed \(seed)")
      #expect(zip(feed.entries, feed.entries.dropFirst()).allSatisfy { $0.position < $1.position })
    }
  }

  @Test func everyNthEventIsOdd() {
    let feed = feed(40) {
      $0.oddEvery = 4
      $0.oddEvents = [.nullEntry, .unicode]
    }
    #expect(
      feed.entries.filter { !$0.isEvent }.map(\.bytes) == Array(repeating: Array("null".utf8), count: 5))
  }
}
