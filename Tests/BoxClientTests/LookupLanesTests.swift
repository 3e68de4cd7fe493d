import Testing

@testable import BoxClient

@Suite struct LookupLanesTests {
  private let lanes = LookupLanes(Array(0..<8))

  @Test func realtimeServersShareNoLaneWithEachOtherOrTheAPI() {
    let api = ["api.box.com", "token.example.com"].map { lanes.loop(for: $0, isPoll: false) }
    let polls = (0..<6).map { lanes.loop(for: "\($0).realtime.services.box.net", isPoll: true) }
    #expect(Set(api + polls).count == 8)
  }

  @Test func aNameKeepsItsLane() {
    let first = lanes.loop(for: "1.box.net", isPoll: true)
    for other in 2...20 { _ = lanes.loop(for: "\(other).box.net", isPoll: true) }
    #expect(lanes.loop(for: "1.box.net", isPoll: true) == first)
  }

  @Test func manyRealtimeServersNeverTakeALaneOfTheAPI() {
    let api = lanes.loop(for: "api.box.com", isPoll: false)
    for other in 0...2 * LookupLanes<Int>.maximumNames {
      #expect(lanes.loop(for: "\(other).box.net", isPoll: true) ?? 0 >= 2)
    }
    #expect(lanes.loop(for: "api.box.com", isPoll: false) == api)
  }

  @Test func addressesNeedNoLaneOfTheirOwn() {
    for address in ["127.0.0.1", "::1"] {
      #expect(lanes.loop(for: address, isPoll: true) == lanes.first)
      #expect(lanes.loop(for: address, isPoll: false) == lanes.first)
    }
  }

  @Test func aSingleLoopServesAll() {
    let lanes = LookupLanes([7])
    #expect(lanes.loop(for: "api.box.com", isPoll: false) == 7)
    #expect(lanes.loop(for: "1.box.net", isPoll: true) == 7)
    #expect(LookupLanes<Int>([]).loop(for: "api.box.com", isPoll: false) == nil)
  }
}
