import Logging
import Testing

@testable import Systemd

struct LogTextTests {
  private func text(_ metadata: Logger.Metadata) -> String {
    LogText("Box can't be reached", metadata: metadata).description
  }

  @Test func aSentenceWithoutMetadataIsUnchanged() {
    #expect(text([:]) == "Box can't be reached")
  }

  @Test func theStreamIsInFrontDetailAndHintFollow() {
    #expect(
      text(["stream": "default", "detail": "Box answered 503", "hint": "Trying again in 4 s."])
        == "default: Box can't be reached: Box answered 503. Trying again in 4 s.")
  }

  @Test func theRestIsAListInOrderOfName() {
    #expect(text(["status": "503", "attempt": "2"]) == "Box can't be reached (attempt=2, status=503)")
  }

  @Test func idsForMachinesAreNotShown() {
    #expect(text(["message_id": "d8cb33ced2ca41c592e59a6c7cb30f1a"]) == "Box can't be reached")
  }

  @Test func valuesThatCouldBeTwoAreQuoted() {
    #expect(
      text(["a": "x, b=y", "c": "", "d": "say \"no\"", "e": "1-2_3"])
        == "Box can't be reached (a=\"x, b=y\", c=\"\", d=\"say \\\"no\\\"\", e=1-2_3)")
  }

  @Test func everyPartIsEscaped() {
    let line = LogText(
      "a\u{1B}", metadata: ["stream": "s\n", "detail": "d\t", "hint": "h\u{2066}", "k\r": "v\0"])
    #expect(line.description == "s\\u{A}: a\\u{1B}: d\\u{9}. h\\u{2066} (k\\u{D}=v\\u{0})")
  }
}
