import Logging
import Testing

@testable import Systemd

struct JournalEntryTests {
  private func event(_ level: Logger.Level, _ message: Logger.Message) -> LogEvent {
    LogEvent(
      level: level, message: message, metadata: nil, source: nil,
      file: "EventDaemon/StreamDriver.swift", function: "run()", line: 42)
  }

  private func entry(_ metadata: Logger.Metadata, level: Logger.Level = .warning) -> JournalEntry {
    JournalEntry(event(level, "Box can't be reached"), metadata: metadata)
  }

  private func lines(_ entry: JournalEntry) -> [String] {
    entry.fields.map { "\($0.name)=\($0.value)" }
  }

  @Test func everyValueIsAFieldOfItsOwn() {
    let entry = entry([
      "stream": "default", "status": "503", "request_id": "abc", "position": "1152922976252290886",
      "message_id": "d8cb33ced2ca41c592e59a6c7cb30f1a", "detail": "Box answered 503",
    ])
    #expect(
      lines(entry) == [
        "MESSAGE=default: Box can't be reached: Box answered 503 "
          + "(position=1152922976252290886, request_id=abc, status=503)",
        "PRIORITY=4",
        "SYSLOG_IDENTIFIER=box-eventd",
        "CODE_FILE=EventDaemon/StreamDriver.swift",
        "CODE_LINE=42",
        "CODE_FUNC=run()",
        "BOX_DETAIL=Box answered 503",
        "MESSAGE_ID=d8cb33ced2ca41c592e59a6c7cb30f1a",
        "BOX_POSITION=1152922976252290886",
        "BOX_REQUEST_ID=abc",
        "BOX_STATUS=503",
        "BOX_STREAM=default",
      ])
  }

  @Test func levelsArePriorities() {
    let priorities = Logger.Level.allCases.map { entry([:], level: $0).fields[1].value }
    #expect(priorities == ["7", "7", "6", "5", "4", "3", "2"])
  }

  @Test func namesAreWhatTheJournalAllows() {
    #expect(JournalEntry.name(of: "stream") == "BOX_STREAM")
    #expect(JournalEntry.name(of: "message_id") == "MESSAGE_ID")
    #expect(JournalEntry.name(of: "MESSAGE_ID") == "BOX_MESSAGE_ID")
    #expect(JournalEntry.name(of: "http.status-code 2") == "BOX_HTTP_STATUS_CODE_2")
    #expect(JournalEntry.name(of: "größe=\n") == "BOX_GR__E__")
    #expect(JournalEntry.name(of: "straße") == "BOX_STRA_E")
    #expect(JournalEntry.name(of: "") == "BOX_")
    #expect(JournalEntry.name(of: String(repeating: "x", count: 100)).utf8.count == 64)
  }

  @Test func nothingBreaksOutOfAField() {
    let fields = entry(["detail": "a\nMESSAGE_ID=forged\0\u{202E}"]).fields
    #expect(fields.last?.value == "a\\u{A}MESSAGE_ID=forged\\u{0}\\u{202E}")
    #expect(fields.first?.value == "Box can't be reached: a\\u{A}MESSAGE_ID=forged\\u{0}\\u{202E}")
    #expect(!fields.contains { $0.name == "MESSAGE_ID" })
  }

  @Test func longValuesAreCut() {
    let page = String(repeating: "<p>", count: 10_000)
    let fields = entry(["detail": "\(page)"]).fields
    #expect(fields.last?.value == String(page.prefix(4096)) + "…")
    #expect(fields.first.map { $0.value.utf8.count < 4096 + 40 } == true)
  }

  @Test func nestedValuesReadLikeLiterals() {
    let fields = entry(["streams": ["a", "b"]]).fields
    #expect(fields.last.map { $0 == ("BOX_STREAMS", "[\"a\", \"b\"]") } == true)
  }

  @Test func fieldsArePackedWithTheirLengths() {
    var entry = entry([:])
    entry.fields = [("MESSAGE", "ä=\0"), ("BOX_EMPTY", "")]
    let (bytes, ends) = entry.packed()
    #expect(bytes == Array("MESSAGE=ä=\0BOX_EMPTY=".utf8))
    #expect(ends == [12, 22])
  }
}
