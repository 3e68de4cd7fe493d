import Testing

@testable import BoxEvents

struct TrailTests {
  private func at(_ seconds: Int) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }

  private func position(_ number: Int) throws -> ReadPosition {
    .at(try #require(StreamPosition("\(number)")))
  }

  @Test func keepsThePositionThatWasInForce() throws {
    var trail = Trail(limit: 1000, spacing: .seconds(10))
    #expect(trail.start == nil)
    try trail.pass(position(1), new: 0, at: at(0))
    try trail.pass(position(2), new: 1, at: at(20))
    try trail.pass(position(3), new: 1, at: at(40))
    trail.forget(before: at(19))
    #expect(trail.start == (try position(1)))
    trail.forget(before: at(20))
    #expect(trail.start == (try position(2)))
    // The newest stays, however old.
    trail.forget(before: at(5000))
    #expect(trail.start == (try position(3)))
  }

  @Test func keepsPositionsApart() throws {
    var trail = Trail(limit: 1000, spacing: .seconds(10))
    try trail.pass(position(1), new: 0, at: at(0))
    try trail.pass(position(2), new: 1, at: at(9))
    trail.forget(before: at(9))
    #expect(trail.start == (try position(1)))
    // As many events as this are kept apart however soon they come.
    try trail.pass(position(3), new: 99, at: at(9))
    trail.forget(before: at(9))
    #expect(trail.start == (try position(3)))
  }

  @Test func neverReachesOverMoreThanItsLimit() throws {
    var trail = Trail(limit: 1000, spacing: .seconds(3600))
    var events = 0
    for number in 1...500 {
      events += 37
      try trail.pass(position(events), new: 37, at: at(number))
      guard case .at(let start)? = trail.start, let first = Int(start.digits) else {
        Issue.record("no start after \(events) events")
        return
      }
      #expect(events - first <= 1000)
      if events > 1200 { #expect(events - first >= 800) }
    }
  }

  @Test func aLeapLeavesOnlyTheNewest() throws {
    var trail = Trail(limit: 1000, spacing: .seconds(1))
    try trail.pass(position(1), new: 0, at: at(0))
    try trail.pass(position(2), new: 5000, at: at(9))
    #expect(trail.start == (try position(2)))
  }
}
