import BoxClient
import BoxEvents
import Logging
import Systemd
import Testing

@testable import EventDaemon

@Suite struct SignInLogTests {
  private let log = RecordedLog()
  private let signIns: SignInLog

  init() { signIns = SignInLog(logger: log.logger, subject: Subject("user:1")) }

  /// Only an operator helps: nothing else is logged as an error, however many streams wait for the token.
  @Test(arguments: [(FeedFailure.Code.signInRefused, "error"), (.signInFailed, "warning")])
  func logsAFailureLessAndLess(code: FeedFailure.Code, level: String) {
    for _ in 0..<9 { #expect(!signIns.observe(.failed(FeedFailure(code, "dead", hint: "Log in.")))) }
    let entries = log.taken()
    #expect(entries.map { $0.metadata["times"] } == ["1", "2", "4", "8"])
    #expect(entries.allSatisfy { $0.id == .signInRefused && $0.level.rawValue == level })
    #expect(entries.first?.metadata["hint"] == "Log in." && entries.first?.metadata["subject"] == "user:1")
    #expect(signIns.observe(.signedIn(lifetime: .seconds(60))))
    #expect(log.taken().map(\.id) == [.signedIn])
  }

  /// A token that is only read: Box has not seen it yet.
  @Test func aProvidedTokenIsNotASignIn() {
    #expect(!signIns.observe(.signedIn(lifetime: nil)))
    let entries = log.taken()
    #expect(entries.map(\.message) == ["access token read"] && entries.map(\.id) == [nil])
  }
}
