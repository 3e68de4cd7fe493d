import BoxEvents
import Testing

@testable import Spool

struct DuplicateWindowTests {
  /// Against a plain list, with hashes that collide often.
  @Test(arguments: [1, 2, 7, 64, 500])
  func agreesWithAList(capacity: Int) {
    var random = SplitMix64(seed: UInt64(capacity))
    var window = DuplicateWindow(capacity: capacity)
    var list: [EventIdentity] = []
    for step in 0..<5000 {
      let id = EventIdentity(
        high: UInt64.random(in: 0..<40, using: &random), low: UInt64.random(in: 0..<25, using: &random))
      #expect(window.contains(id) == list.contains(id), "step \(step)")
      #expect(window.insert(id) != list.contains(id), "step \(step)")
      if !list.contains(id) { list = (list + [id]).suffix(capacity) }
    }
    #expect(window.count == list.count)
    window.resize(to: 5)
    #expect(list.suffix(5).allSatisfy { window.contains($0) })
    #expect(window.count == min(5, list.count))
  }

  @Test func changesItsCapacityOnTheWay() {
    var window = DuplicateWindow(capacity: 3)
    func known() -> [UInt64] { window.newest(100).map(\.low) }
    for low in UInt64(1)...5 { window.insert(EventIdentity(high: 0, low: low)) }
    #expect(known() == [3, 4, 5])
    window.capacity = 6
    for low in UInt64(6)...8 { window.insert(EventIdentity(high: 0, low: low)) }
    #expect(known() == [3, 4, 5, 6, 7, 8])
    window.capacity = 2
    window.insert(EventIdentity(high: 0, low: 9))
    #expect(known() == [5, 6, 7, 8, 9])
    for low in UInt64(10)...12 { window.insert(EventIdentity(high: 0, low: low)) }
    #expect(known() == [11, 12])
    for low in UInt64(1)...12 {
      #expect(window.contains(EventIdentity(high: 0, low: low)) == (low > 10), "\(low)")
    }
  }

  @Test func countsTheEventsOfTheLastHours() {
    var recent = RecentEvents()
    recent.add(0, at: .zero)
    recent.add(50, at: .seconds(100))
    recent.add(1000, at: .seconds(4000))
    #expect(recent.count(upTo: 1500, at: .seconds(4100), within: .seconds(3600)) == 1500)
    #expect(recent.count(upTo: 1500, at: .seconds(7600), within: .seconds(3600)) == 500)
    #expect(recent.count(upTo: 1500, at: .seconds(7600), within: .zero) == 0)
  }

  @Test func isEmptyAtFirst() {
    #expect(!DuplicateWindow(capacity: 10).contains(EventIdentity(high: 0, low: 0)))
  }
}
