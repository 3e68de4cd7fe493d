import BoxEvents
import Logging
import Testing

@testable import EventDaemon

@Suite struct ConfigurationChangeTests {
  private let old = Configuration(
    auth: .init(method: .clientCredentials, clientID: "id", subject: Subject("user:1")),
    streams: [.init(name: "a"), .init(name: "b"), .init(name: "c")])

  @Test func isEmptyWithoutDifference() {
    #expect(old.change(to: old).isEmpty)
  }

  @Test func listsAddedRemovedAndChangedStreams() {
    var new = old
    new.streams.removeFirst()
    new.streams[0].asUser = "7"
    new.streams[1].start = .oldest
    new.streams.append(.init(name: "d"))
    let change = old.change(to: new)
    #expect(change.added.map(\.name) == ["d"])
    #expect(change.removed == ["a"])
    #expect(change.changed.map(\.name) == ["b"])
    #expect(change.changed.first?.asUser == "7")
    #expect(!change.isEmpty)
  }

  @Test func ignoresOrderOfStreams() {
    var new = old
    new.streams.reverse()
    #expect(old.change(to: new).isEmpty)
  }

  @Test func takesOverLogLevelAndSecretFiles() {
    var new = old
    new.log.level = .debug
    new.auth.clientSecretFile = "/x"
    let change = old.change(to: new)
    #expect(change.logLevel == .debug)
    #expect(old.reloaded(with: new) == (new, []))
  }

  /// What a reload can apply of a file doesn't wait for the restart that the rest needs.
  @Test func appliesTheRestOfAFileWithKeysThatNeedARestart() {
    var new = old
    new.spool.keepFree = ByteCount(1)
    new.auth.clientID = "other"
    new.auth.clientSecretFile = "/x"
    new.log.level = .debug
    new.streams.append(.init(name: "d"))
    let (applied, refused) = old.reloaded(with: new)
    #expect(refused == ["[auth] client_id", "[spool] keep_free"])
    #expect(applied.spool == old.spool && applied.auth.clientID == "id")
    #expect(applied.auth.clientSecretFile == "/x")
    #expect(applied.log == new.log && applied.streams == new.streams)
  }

  /// Streams of another method might sign in with the one in force as something else, or not at all.
  @Test func keepsTheStreamsWhereTheMethodInForceCannotReadTheNewOnes() {
    var new = old
    new.auth.method = .jwt
    new.auth.settingsFile = "/x"
    new.auth.subject = nil
    new.streams.append(.init(name: "d"))
    var (applied, refused) = old.reloaded(with: new)
    #expect(applied.auth == old.auth && applied.streams == old.streams)
    #expect(refused == ["[auth] method", "[auth] subject", "stream d"])

    let oauth = Configuration(auth: .init(method: .oauth2, clientID: "id"), streams: [.init(name: "a")])
    new = oauth
    new.auth.method = .clientCredentials
    new.streams[0].subject = Subject("user:7")
    (applied, refused) = oauth.reloaded(with: new)
    #expect(applied == oauth)
    #expect(refused == ["[auth] method", "[[stream]]"])
  }

  /// With the settings in force it would spool the events of another user, and be blocked after the restart.
  @Test func leavesStreamsToTheRestartThatChangesTheirFeed() throws {
    var new = old
    new.auth.subject = Subject("user:2")
    new.streams.removeFirst()
    new.streams[0].asUser = "7"
    new.streams[1].start = .oldest
    new.streams += [.init(name: "d"), .init(name: "e", subject: Subject("user:1"))]
    let (applied, refused) = old.reloaded(with: new)
    #expect(refused == ["[auth] subject", "stream d", "stream b"])
    #expect(applied.streams == [old.streams[1], new.streams[1], new.streams[3]])
    // The next reload begins with what is in force.
    new.auth.subject = old.auth.subject
    #expect(applied.reloaded(with: new) == (new, []))
    #expect(applied.change(to: new).added.map(\.name) == ["d"])

    new = old
    new.box.apiURL = try #require(WebURL("https://other.example"))
    new.streams.append(.init(name: "d", subject: Subject("user:1")))
    #expect(old.reloaded(with: new).refusedKeys == ["[box] api_url", "stream d"])
    #expect(old.reloaded(with: new).configuration == old)
    // Another path of the same server has the same feeds.
    new.box.apiURL = old.box.apiURL.appending(path: "/x")
    #expect(old.reloaded(with: new).configuration.streams == new.streams)
  }

  @Test func countsManyStreamsThatWaitForARestart() {
    var new = old
    new.auth.subject = Subject("user:2")
    new.streams = (0..<4).map { .init(name: "d\($0)") }
    // None of the others may stop where none would start.
    #expect(old.reloaded(with: new) == (old, ["[auth] subject", "4 streams", "[[stream]]"]))
  }

  /// Whose token it is depends on the app that asks for it.
  @Test(
    arguments: [
      (Configuration.Stream(name: "d"), true), (.init(name: "d", asUser: "7"), false),
      (.init(name: "d", subject: Subject("user:1")), false),
      (.init(name: "d", type: .adminLogs), false),
    ] as [(Configuration.Stream, Bool)])
  func anotherAppHasAnotherFeedWhereNoUserIsNamed(stream: Configuration.Stream, isLeft: Bool) {
    var old = self.old
    old.auth.subject = Subject("enterprise:9")
    var new = old
    new.auth.clientID = "other"
    new.streams.append(stream)
    let (applied, refused) = old.reloaded(with: new)
    #expect(refused == ["[auth] client_id"] + (isLeft ? ["stream d"] : []))
    #expect(applied.streams == (isLeft ? old.streams : new.streams))
  }

  @Test func refusesAllOtherKeysByName() throws {
    var new = old
    new.box.apiURL = try #require(WebURL("https://other.example"))
    new.box.tokenURL = new.box.apiURL
    new.box.realtimeHosts = []
    new.box.proxy = new.box.apiURL
    new.box.maxPage = ByteCount(1)
    new.box.caFile = "/x"
    new.box.callsPerMinute = 1
    new.auth.method = .jwt
    new.auth.clientID = nil
    new.auth.subject = nil
    new.spool.directory = "/x"
    new.spool.segmentSize = ByteCount(1)
    new.spool.segmentAge = .zero
    new.spool.keepFree = ByteCount(1)
    new.spool.maxSize = ByteCount(1)
    new.spool.maxAge = .seconds(1)
    new.state.directory = "/x"
    new.status.socket = "/x"
    new.status.listen = ListenAddress("a:1")
    let expected = ConfigurationKeys.tables.flatMap { table in
      table.keys.filter { !$0.isReloaded }.map { "\(table.header) \($0.name)" }
    }
    #expect(expected.count == 19)
    let (applied, refused) = old.reloaded(with: new)
    #expect(refused == expected)
    #expect(applied == old)
  }
}
