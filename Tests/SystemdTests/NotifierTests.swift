import Testing

@testable import Systemd

struct NotifierTests {
  private let time = Duration.seconds(7) + .nanoseconds(1999)

  private func message(_ fields: Notifier.Field...) -> String {
    fields.map { $0.assignment(at: time) }.joined(separator: "\n")
  }

  @Test func everyFieldHasItsName() {
    #expect(message(.ready) == "READY=1")
    #expect(message(.reloading) == "RELOADING=1\nMONOTONIC_USEC=7000001")
    #expect(message(.stopping) == "STOPPING=1")
    #expect(message(.watchdog) == "WATCHDOG=1")
    #expect(message(.errno(28)) == "ERRNO=28")
    #expect(message(.extendTimeout(.milliseconds(1500))) == "EXTEND_TIMEOUT_USEC=1500000")
    #expect(message(.extendTimeout(.seconds(-1))) == "EXTEND_TIMEOUT_USEC=0")
    #expect(message(.extendTimeout(.seconds(Int64.max))) == "EXTEND_TIMEOUT_USEC=\(Int64.max)")
  }

  @Test func aStatusCannotForgeAnotherField() {
    #expect(message(.status("a\nSTOPPING=1")) == "STATUS=a\\u{A}STOPPING=1")
    #expect(message(.status("\u{202E}desrever\u{1B}[2J")) == "STATUS=\\u{202E}desrever\\u{1B}[2J")
  }

  @Test func aLongStatusStaysBelowTheLimitOfAMessage() {
    let text = message(.ready, .status(String(repeating: "ä", count: 5000)))
    #expect(text.utf8.count < 4096)
    #expect(text.hasPrefix("READY=1\nSTATUS=ää"))
    #expect(text.hasSuffix("ä…"))
  }

  @Test func aClosureRecordsWhatWasSent() {
    let sent = Recorder<[Notifier.Field]>()
    let notifier = Notifier { fields in sent.record(fields) }
    notifier.send(.ready, .status("Reading"))
    notifier.send(.stopping)
    notifier.send()
    #expect(sent.values == [[.ready, .status("Reading")], [.stopping]])
  }
}
