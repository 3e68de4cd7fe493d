import BoxEvents
import Testing

@testable import BoxClient

@Suite struct ExcerptTests {
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
