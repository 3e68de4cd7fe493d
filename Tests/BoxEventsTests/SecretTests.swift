import Testing

@testable import BoxEvents

@Suite struct SecretTests {
  private struct Account {
    var name = "box"
    var secret = Secret("canary")
    var list = [Secret("canary")]
    var maybe: Secret<String>? = Secret("canary")
  }

  @Test func printsRedacted() {
    let secret = Secret("canary")
    var dumped = ""
    dump(Account(), to: &dumped)
    dump(secret, to: &dumped)
    let shown = [
      "\(secret)", String(describing: secret), String(reflecting: secret), secret.description,
      secret.debugDescription, "\(Account())", String(reflecting: Account()), "\([secret])",
      "\(["key": secret])",
      dumped, "\(Mirror(reflecting: secret).children.map { "\($0)" })", "\(Optional(secret) as Any)",
    ]
    for text in shown { #expect(!text.contains("canary")) }
    #expect("\(secret)" == "<redacted>")
    #expect(Mirror(reflecting: secret).children.isEmpty)
  }

  @Test func revealsItsValue() {
    #expect(Secret("canary").reveal() == "canary")
    #expect(Secret("a") == Secret("a"))
    #expect(Secret("a") != Secret("b"))
  }
}
