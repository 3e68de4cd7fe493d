import FoundationEssentials
import Testing

@testable import BoxSimulator

@Suite struct EventFactoryTests {
  private static let now: Int64 = 1_700_000_000

  private struct Shape: Decodable {
    var eventId: String?
    var eventType: String?
    var createdAt: String?

    init(_ event: [UInt8]) throws {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      self = try decoder.decode(Shape.self, from: Data(event))
    }
  }

  @Test func theSameSeedMakesTheSameEvents() {
    var first = EventFactory(seed: 7, user: "1", type: "all")
    var second = EventFactory(seed: 7, user: "1", type: "all")
    var other = EventFactory(seed: 7, user: "2", type: "all")
    for _ in 0..<20 {
      let event = first.next(secondsSince1970: Self.now)
      #expect(event == second.next(secondsSince1970: Self.now))
      #expect(event != other.next(secondsSince1970: Self.now))
    }
  }

  @Test func ordinaryEventsHaveTheRightSizeAndShape() throws {
    var factory = EventFactory(seed: 1, user: "1", type: "all", sizes: 1650...1650)
    var ids: Set<String> = []
    for _ in 0..<200 {
      let event = factory.next(secondsSince1970: Self.now)
      #expect(event.count == 1650)
      let shape = try Shape(event)
      let id = try #require(shape.eventId)
      #expect(id.utf8.count == 40)
      #expect(shape.eventType != nil)
      #expect(shape.createdAt == "2023-11-14T14:13:20-08:00")
      ids.insert(id)
    }
    #expect(ids.count == 200)
  }

  @Test func sizesFillTheRange() {
    var factory = EventFactory(seed: 1, user: "1", type: "all")
    let sizes = (0..<300).map { _ in factory.next(secondsSince1970: Self.now).count }
    #expect(sizes.allSatisfy { (1100...1650).contains($0) })
    #expect(Set(sizes).count > 100)
  }

  @Test func enterpriseEventsHaveAUUID() throws {
    var factory = EventFactory(seed: 1, user: "456", type: "admin_logs_streaming")
    let event = factory.next(secondsSince1970: Self.now)
    let shape = try Shape(event)
    #expect(UUID(uuidString: try #require(shape.eventId)) != nil)
    #expect(String(decoding: event, as: UTF8.self).contains(#""additional_details":{"#))
  }

  @Test(arguments: OddEvent.allCases)
  func oddEventsAreJSONAndDifferEachTime(_ kind: OddEvent) throws {
    struct Anything: Decodable { init(from decoder: any Decoder) {} }
    var factory = EventFactory(seed: 1, user: "1", type: "all")
    let event = factory.odd(kind, secondsSince1970: Self.now)
    _ = try JSONDecoder().decode(Anything?.self, from: Data(event))
    #expect((event.first == UInt8(ascii: "{")) == ![.nullEntry, .nonObject].contains(kind))
    if kind != .nullEntry { #expect(event != factory.odd(kind, secondsSince1970: Self.now)) }
  }

  @Test func largeEventsAreLarge() {
    var factory = EventFactory(seed: 1, user: "1", type: "all")
    #expect(factory.large(byteCount: 20 << 20, secondsSince1970: Self.now).count == 20 << 20)
  }
}
