import BoxEvents
import Testing

@testable import BoxClient

@Suite struct PlainTextTests {
  @Test func escapesWhatSteersATerminal() {
    #expect(PlainText.escaped("plain – ünïcode 事") == "plain – ünïcode 事")
    #expect(PlainText.escaped("a\u{1B}[31m\nb") == #"a\u{1B}[31m\u{A}b"#)
    #expect(
      PlainText.escaped("x\u{202E}y\u{2066}z\u{2028}\u{7F}\u{9B}")
        == #"x\u{202E}y\u{2066}z\u{2028}\u{7F}\u{9B}"#)
    #expect(PlainText.escaped("a\r\nb") == #"a\u{D}\u{A}b"#)
  }

  @Test func excerptsAreShortAndHideWhatWasSent() {
    #expect(PlainText.excerpt(String(repeating: "x", count: 300)) == String(repeating: "x", count: 200) + "…")
    let secret = Secret("s e&cret")
    #expect(
      PlainText.excerpt("got s e&cret and s%20e%26cret", hiding: [secret]) == "got <redacted> and <redacted>")
    let long = String(repeating: "y", count: 190) + "s e&cret"
    #expect(!PlainText.excerpt(long, hiding: [secret]).contains("s e"))
    #expect(PlainText.excerpt("text", hiding: [Secret("")]) == "text")
  }
}
