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

  @Test func isEmptyAtFirst() {
    #expect(!DuplicateWindow(capacity: 10).contains(EventIdentity(high: 0, low: 0)))
  }
}
