import BoxEvents
import Testing

@testable import EventDaemon

@Suite struct FeedFactoryTests {
  private let stream = Configuration.Stream(name: "a", type: .changes, asUser: "7")

  private func configuration(_ subject: String) -> Configuration {
    Configuration(auth: .init(method: .clientCredentials, clientID: "id", subject: Subject(subject)))
  }

  /// A part that is left out lets a position be used with somebody else's events.
  @Test func aFeedIsKnownByWhereWhoseAndWhat() {
    let configuration = configuration("user:1")
    #expect(
      configuration.feedIdentity(of: stream)
        == FeedIdentity(
          api: WebURL.Origin(scheme: .https, host: "api.box.com"), subject: Subject("user:1"), asUser: "7",
          type: .changes))
    var other = configuration
    other.box.apiURL.origin = WebURL.Origin(scheme: .https, host: "box.example")
    #expect(other.feedIdentity(of: stream).api.host == "box.example")
  }

  @Test func aStreamsOwnSubjectComesFirst() {
    var stream = stream
    stream.subject = Subject("user:2")
    let configuration = configuration("user:1")
    #expect(configuration.feedIdentity(of: stream).subject == Subject("user:2"))
  }
}
