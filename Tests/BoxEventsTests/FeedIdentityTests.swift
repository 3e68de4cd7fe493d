import Testing

@testable import BoxEvents

@Suite struct FeedIdentityTests {
  private let feed = FeedIdentity(
    apiOrigin: "https://api.box.com", subject: "user:1", asUser: "23", type: .all)

  @Test func whateverDiffersGivesAnotherDigest() {
    var others = [FeedIdentity](repeating: feed, count: 4)
    others[0].apiOrigin = "https://api.box.org"
    others[1].subject = "user:2"
    others[2].asUser = ""
    others[3].type = .changes
    #expect(Set((others + [feed]).map(\.digest)).count == 5)
  }

  @Test func whatStandsInOnePartDoesNotStandForTheNext() {
    var moved = feed
    (moved.subject, moved.asUser) = ("user:12", "3")
    #expect(moved.digest != feed.digest)
  }

  /// It stands in every position file: another one would block every stream.
  @Test func theDigestStaysWhatItIs() {
    #expect(feed.digest == "078809fcac11690b4f6cd9f108015951b5a033b5b2990a0a76c0d50d4afdedf0")
  }
}
