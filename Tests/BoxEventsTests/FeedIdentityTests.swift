import Testing

@testable import BoxEvents

@Suite struct FeedIdentityTests {
  private let feed = FeedIdentity(
    api: WebURL.Origin(scheme: .https, host: "api.box.com"), subject: Subject("user:1"), asUser: "23",
    type: .all)

  @Test func everyPartChangesTheDigest() {
    var others = [FeedIdentity](repeating: feed, count: 4)
    others[0].api.host = "api.box.org"
    others[1].subject = Subject("user:2")
    others[2].asUser = nil
    others[3].type = .changes
    #expect(Set((others + [feed]).map(\.digest)).count == 5)
  }

  @Test func partsDoNotRunIntoEachOther() {
    var moved = feed
    (moved.subject, moved.asUser) = (Subject("user:12"), "3")
    #expect(moved.digest != feed.digest)
  }

  @Test func namesWhatHasChanged() {
    var other = feed
    #expect(other.changes(from: feed.parts).isEmpty)
    (other.subject, other.asUser) = (Subject("user:2"), nil)
    #expect(
      other.changes(from: feed.parts)
        == "its subject was user:1 and is user:2, its as_user was 23 and is not set")
    // A position file of before has no parts.
    #expect(other.changes(from: []).isEmpty)
  }

  /// Every position file has it: another one would block every stream.
  @Test func digestIsStable() {
    #expect(feed.digest == "078809fcac11690b4f6cd9f108015951b5a033b5b2990a0a76c0d50d4afdedf0")
  }
}
