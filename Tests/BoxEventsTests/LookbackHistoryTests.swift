import Testing

@testable import BoxEvents

struct LookbackHistoryTests {
  private func at(_ seconds: Int) -> FeedInstant { FeedInstant(sinceOrigin: .seconds(seconds)) }

  private func position(_ number: Int) throws -> ReadPosition {
    .at(try #require(StreamPosition("\(number)")))
  }

  @Test func keepsThePositionThatWasInForce() throws {
    var lookbackHistory = LookbackHistory(limit: 1000, spacing: .seconds(10))
    #expect(lookbackHistory.start == nil)
    try lookbackHistory.pass(position(1), new: 0, at: at(0))
    try lookbackHistory.pass(position(2), new: 1, at: at(20))
    try lookbackHistory.pass(position(3), new: 1, at: at(40))
    lookbackHistory.forget(before: at(19))
    #expect(lookbackHistory.start == (try position(1)))
    lookbackHistory.forget(before: at(20))
    #expect(lookbackHistory.start == (try position(2)))
    // The newest stays, however old.
    lookbackHistory.forget(before: at(5000))
    #expect(lookbackHistory.start == (try position(3)))
  }

  @Test func keepsPositionsApart() throws {
    var lookbackHistory = LookbackHistory(limit: 1000, spacing: .seconds(10))
    try lookbackHistory.pass(position(1), new: 0, at: at(0))
    try lookbackHistory.pass(position(2), new: 1, at: at(9))
    lookbackHistory.forget(before: at(9))
    #expect(lookbackHistory.start == (try position(1)))
    // As many events as this are kept apart however soon they come.
    try lookbackHistory.pass(position(3), new: 99, at: at(9))
    lookbackHistory.forget(before: at(9))
    #expect(lookbackHistory.start == (try position(3)))
  }

  @Test func neverReachesOverMoreThanItsLimit() throws {
    var lookbackHistory = LookbackHistory(limit: 1000, spacing: .seconds(3600))
    var events = 0
    for number in 1...500 {
      events += 37
      try lookbackHistory.pass(position(events), new: 37, at: at(number))
      guard case .at(let start)? = lookbackHistory.start, let first = Int(start.digits) else {
        Issue.record("no start after \(events) events")
        return
      }
      #expect(events - first <= 1000)
      if events > 1200 { #expect(events - first >= 800) }
    }
  }

  @Test func keepsOnlyTheNewestAfterALeap() throws {
    var lookbackHistory = LookbackHistory(limit: 1000, spacing: .seconds(1))
    try lookbackHistory.pass(position(1), new: 0, at: at(0))
    try lookbackHistory.pass(position(2), new: 5000, at: at(9))
    #expect(lookbackHistory.start == (try position(2)))
  }
}
